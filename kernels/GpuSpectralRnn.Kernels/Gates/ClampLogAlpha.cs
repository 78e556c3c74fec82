using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>logAlpha[i] kept within log 1e-2..log 1e2.</summary>
public readonly struct ClampLogAlpha(ArrayView<float> logAlpha) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => logAlpha[element] = HardConcrete.Clamped(logAlpha[element]);
}
