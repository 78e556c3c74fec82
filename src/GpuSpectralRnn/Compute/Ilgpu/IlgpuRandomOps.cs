using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Counter-based random numbers as ILGPU kernels.</summary>
internal sealed class IlgpuRandomOps(IlgpuBackend backend) : IRandomOps
{
    private readonly Launcher<UniformNumbers> uniform = backend.Loader.Elements<UniformNumbers>();
    private readonly Launcher<NormalNumbers> normal = backend.Loader.Elements<NormalNumbers>();
    private readonly Launcher<Dropout> dropout = backend.Loader.Elements<Dropout>();

    /// <inheritdoc/>
    public void Uniform(Tensor destination, ulong seed, ulong stream, float low, float high)
    {
        if (!(low < high)) throw new ArgumentOutOfRangeException(nameof(high), high, $"A uniform range ends above its start {low}.");
        OperandChecks.Float(backend, destination);
        uniform(backend.Stream, backend.Count(destination), new(backend.View(destination), seed, stream, low, high));
    }

    /// <inheritdoc/>
    public void Dropout(Tensor x, float rate, ulong seed, ulong stream, Tensor y)
    {
        OperandChecks.Dropout(backend, x, rate, y);
        dropout(backend.Stream, backend.Count(x), new(backend.View(x), backend.View(y), seed, stream, rate, 1 / (1 - rate)));
    }

    /// <inheritdoc/>
    public void Normal(Tensor destination, ulong seed, ulong stream, float mean, float deviation)
    {
        if (!(deviation >= 0)) throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "A standard deviation is zero or more.");
        OperandChecks.Float(backend, destination);
        normal(backend.Stream, backend.Count(destination), new(backend.View(destination), seed, stream, mean, deviation));
    }
}
