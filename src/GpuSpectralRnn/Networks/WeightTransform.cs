using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>Stands between the parameters that are stored and those that kernels read.</summary>
public abstract class WeightTransform : IDisposable
{
    /// <summary>What kernels read instead of stored parameters, by the names that modules use.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> Formed { get; }

    /// <summary>Where their gradients are gathered, by the same names; made (zero) when first asked for.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> FormedGradients { get; }

    /// <summary>Computes what kernels read, before a forward pass.</summary>
    public abstract void Form();

    /// <summary>Adds the gradients of what kernels read to those of what is stored and sets them to zero, after a backward pass.</summary>
    public abstract void SpreadGradients();

    /// <inheritdoc/>
    public abstract void Dispose();
}
