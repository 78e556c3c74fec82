using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// Stands between the parameters that are stored and those that kernels read. Where several act on one parameter, each reads what the one before it
/// formed; gradients go back through them in the opposite order.
/// </summary>
public abstract class WeightTransform : IDisposable
{
    /// <summary>
    /// What a module's kernels read instead of a parameter, by the name that the module uses; null where the transform leaves it alone. It stays the
    /// same tensor.
    /// </summary>
    public abstract Tensor? Formed(Node reader, string name);

    /// <summary>Where the gradient of <see cref="Formed"/> is gathered, of its shape; made (zero) when first asked for.</summary>
    public abstract Tensor? FormedGradient(Node reader, string name);

    /// <summary>Computes what kernels read, before a forward pass.</summary>
    public abstract void Form();

    /// <summary>Adds the gradients of what kernels read to those of what it is formed of and sets them to zero, after a backward pass.</summary>
    public abstract void SpreadGradients();

    /// <inheritdoc/>
    public abstract void Dispose();
}
