using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Softmax over time and attention as ILGPU kernels.</summary>
internal sealed class IlgpuAttentionOps(IlgpuBackend backend) : IAttentionOps
{
    private readonly SoftmaxOverSteps softmax = new(backend.Loader);

    /// <inheritdoc/>
    public void SoftmaxOverSteps(Tensor x, Tensor y, Tensor? lengths = null)
    {
        (int t, int b) = OperandChecks.SoftmaxOverSteps(backend, x, y, lengths);
        backend.Count(x);
        if (x.Count > 0) softmax.Run(backend.Stream, backend.View(x), backend.View(y), Lengths(lengths, t, b));
    }

    /// <inheritdoc/>
    public void SoftmaxOverStepsBackward(SoftmaxOverStepsBackward operands)
    {
        (int t, int b) = OperandChecks.SoftmaxOverStepsBackward(backend, operands);
        (Tensor y, Tensor d, Tensor result) = (operands.Output, operands.OutputGradient, operands.InputGradient);
        backend.Count(y);
        if (y.Count > 0) softmax.RunBackward(backend.Stream, backend.View(y), backend.View(d), backend.View(result), Lengths(operands.Lengths, t, b));
    }

    private StepLengths Lengths(Tensor? lengths, int steps, int batch) => new(lengths is null ? null : backend.View<int>(lengths), steps, batch);
}
