using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Counter-based random numbers as ILGPU kernels.</summary>
internal sealed class IlgpuRandomOps(IlgpuBackend backend) : IRandomOps
{
    private readonly RandomNumbers numbers = new(backend.Loader);
    private readonly Dropout dropout = new(backend.Loader);

    /// <inheritdoc/>
    public void Uniform(Tensor destination, ulong seed, ulong stream, float low, float high)
    {
        if (!(low < high)) throw new ArgumentOutOfRangeException(nameof(high), high, $"A uniform range ends above its start {low}.");
        OperandChecks.Float(backend, destination);
        numbers.FillUniform(backend.Stream, backend.View(destination), backend.Count(destination), seed, stream, low, high);
    }

    /// <inheritdoc/>
    public void Dropout(Tensor x, float rate, ulong seed, ulong stream, Tensor y)
    {
        OperandChecks.Dropout(backend, x, rate, y);
        dropout.Run(backend.Stream, backend.View(x), backend.View(y), backend.Count(x), seed, stream, rate);
    }

    /// <inheritdoc/>
    public void Normal(Tensor destination, ulong seed, ulong stream, float mean, float deviation)
    {
        if (!(deviation >= 0)) throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "A standard deviation is zero or more.");
        OperandChecks.Float(backend, destination);
        numbers.FillNormal(backend.Stream, backend.View(destination), backend.Count(destination), seed, stream, mean, deviation);
    }
}
