using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Softmax over time and attention on the processor. Threads share out the sequences.</summary>
internal sealed unsafe class HostAttentionOps(HostBackend backend, HostParallel threads) : IAttentionOps
{
    private const int LineOfSequences = 16; // neighbours whose numbers lie in one line of the cache
    private const int ExponentialWork = 16;

    /// <inheritdoc/>
    public void SoftmaxOverSteps(Tensor x, Tensor y, Tensor? lengths = null)
    {
        (int t, int b) = OperandChecks.SoftmaxOverSteps(backend, x, y, lengths);
        float* input = backend.Address(x), output = backend.Address(y); // [T, B]
        int* valid = LengthsOrNull(lengths);
        threads.Split(b, LineOfSequences, x.Count * ExponentialWork, (_, from, to) =>
        {
            for (long i = from; i < to; i++) Host.SoftmaxOverSteps.Run(input + i, output + i, t, valid == null ? t : valid[i], b);
        });
    }

    /// <inheritdoc/>
    public void SoftmaxOverStepsBackward(SoftmaxOverStepsBackward operands)
    {
        (int t, int b) = OperandChecks.SoftmaxOverStepsBackward(backend, operands);
        float* y = backend.Address(operands.Output), d = backend.Address(operands.OutputGradient), result = backend.Address(operands.InputGradient); // [T, B]
        int* valid = LengthsOrNull(operands.Lengths);
        threads.Split(b, LineOfSequences, operands.Output.Count, (_, from, to) =>
        {
            for (long i = from; i < to; i++) Host.SoftmaxOverSteps.RunBackward(y + i, d + i, result + i, t, valid == null ? t : valid[i], b);
        });
    }

    private int* LengthsOrNull(Tensor? lengths) => lengths is null ? null : backend.Address<int>(lengths);
}
