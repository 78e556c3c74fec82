using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Counter-based random numbers as ILGPU kernels.</summary>
internal sealed class IlgpuRandomOps(IlgpuBackend backend) : IRandomOps
{
    private readonly Launcher<UniformNumbers> uniform = backend.Loader.Elements<UniformNumbers>();
    private readonly Launcher<NormalNumbers> normal = backend.Loader.Elements<NormalNumbers>();
    private readonly Launcher<Dropout> dropout = backend.Loader.Elements<Dropout>();

    /// <inheritdoc/>
    public void Uniform(UniformOperands operands)
    {
        OperandChecks.Uniform(backend, operands);
        (Tensor destination, ulong seed, ulong stream, float low, float high) = operands;
        uniform(backend.Stream, backend.Count(destination), new(backend.View(destination), seed, stream, low, high));
    }

    /// <inheritdoc/>
    public void Dropout(DropoutOperands operands)
    {
        OperandChecks.Dropout(backend, operands);
        (Tensor x, float rate, ulong seed, ulong stream, Tensor y) = operands;
        dropout(
            backend.Stream, backend.Count(x), new(backend.View(x), backend.View(y), seed, stream, rate, 1 / (1 - rate), Places(operands.Numbers)));
    }

    /// <inheritdoc/>
    public void Normal(NormalOperands operands)
    {
        OperandChecks.Normal(backend, operands);
        (Tensor destination, ulong seed, ulong stream, float mean, float deviation) = operands;
        normal(backend.Stream, backend.Count(destination), new(backend.View(destination), seed, stream, mean, deviation, Places(operands.Numbers)));
    }

    private static NumberPlaces Places(NumberWindow window) =>
        new((ulong)window.First, window.Period == 0 ? int.MaxValue : window.Period, (ulong)window.Gap);
}
