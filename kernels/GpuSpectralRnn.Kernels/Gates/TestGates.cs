using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>z[i] = the gate of tests of logAlpha[i]; z may be logAlpha.</summary>
public readonly struct TestGates(ArrayView<float> logAlpha, ArrayView<float> z) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => z[element] = HardConcrete.Tested(logAlpha[element]);
}
