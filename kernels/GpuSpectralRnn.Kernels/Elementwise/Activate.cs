using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>y[i] = f(x[i]); y may be x.</summary>
[Kernel(typeof(Relu), typeof(HyperbolicTangent), typeof(Logistic))]
public readonly struct Activate<TActivation>(ArrayView<float> x, ArrayView<float> y) : IElementKernel
    where TActivation : struct, IActivation
{
    /// <inheritdoc/>
    public void Run(int element) => y[element] = default(TActivation).Apply(x[element]);
}

/// <summary>Backward of <see cref="Activate{TActivation}"/>: inputGradient[i] = outputGradient[i] f'(x[i]), from y = f(x).</summary>
[Kernel(typeof(Relu), typeof(HyperbolicTangent), typeof(Logistic))]
public readonly struct ActivateBackward<TActivation>(ArrayView<float> y, ArrayView<float> outputGradient, ArrayView<float> inputGradient) : IElementKernel
    where TActivation : struct, IActivation
{
    /// <inheritdoc/>
    public void Run(int element) => inputGradient[element] = outputGradient[element] * default(TActivation).Slope(y[element]);
}
