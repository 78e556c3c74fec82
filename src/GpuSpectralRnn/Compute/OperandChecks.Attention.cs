namespace GpuSpectralRnn.Compute;

/// <content>Softmax over time and attention.</content>
internal static partial class OperandChecks
{
    /// <summary>A softmax over steps: returns (T, B).</summary>
    public static (int T, int B) SoftmaxOverSteps(IBackend backend, Tensor x, Tensor y, Tensor? lengths)
    {
        (int t, int b) = Steps(backend, x, lengths);
        Float(backend, y, t, b);
        if (y.Offset != x.Offset) Apart(backend, y, x);
        return (t, b);
    }

    /// <summary>Its backward: returns (T, B).</summary>
    public static (int T, int B) SoftmaxOverStepsBackward(IBackend backend, SoftmaxOverStepsBackward o)
    {
        (Tensor output, Tensor outputGradient, Tensor inputGradient) = (o.Output, o.OutputGradient, o.InputGradient);
        (int t, int b) = Steps(backend, output, o.Lengths);
        Float(backend, outputGradient, t, b);
        Float(backend, inputGradient, t, b);
        Apart(backend, inputGradient, output);
        if (inputGradient.Offset != outputGradient.Offset) Apart(backend, inputGradient, outputGradient);
        return (t, b);
    }

    private static (int T, int B) Steps(IBackend backend, Tensor numbers, Tensor? lengths)
    {
        Float(backend, numbers);
        if (numbers.Shape.Rank != 2) Fail($"A number for each step is [T, B], not {numbers.Shape}.", nameof(numbers));
        if (lengths is not null) Lengths(backend, lengths, numbers.Shape[1]);
        return (numbers.Shape[0], numbers.Shape[1]);
    }
}
