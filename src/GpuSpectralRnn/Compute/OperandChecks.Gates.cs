namespace GpuSpectralRnn.Compute;

/// <content>Hard-concrete gates.</content>
internal static partial class OperandChecks
{
    /// <summary>A draw of gates: returns the count.</summary>
    public static long GateSample(IBackend backend, GateSample o) => Elementwise(backend, o.Gates, o.LogAlpha);

    /// <summary>Its backward: returns the count.</summary>
    public static long GateSampleBackward(IBackend backend, GateSampleBackward o) =>
        Added(backend, o.LogAlphaGradient, o.Gates, o.GateGradient);

    /// <summary>Backward of the probabilities: returns the count.</summary>
    public static long OpenProbabilitiesBackward(IBackend backend, OpenProbabilitiesBackward o) =>
        Added(backend, o.LogAlphaGradient, o.LogAlpha, o.ProbabilityGradient);

    // Numbers that are added to, apart from those that are read: returns the count.
    private static long Added(IBackend backend, Tensor sums, params ReadOnlySpan<Tensor> read)
    {
        long count = Float(backend, sums);
        foreach (Tensor operand in read)
        {
            Counted(backend, operand, count);
            Apart(backend, sums, operand);
        }

        return count;
    }
}
