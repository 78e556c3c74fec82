namespace GpuSpectralRnn.Compute;

/// <content>Operations on each number by itself.</content>
internal static partial class OperandChecks
{
    /// <summary>y = f(x), y = a b, y += alpha x: returns the count.</summary>
    public static long Elementwise(IBackend backend, Tensor y, params ReadOnlySpan<Tensor> read)
    {
        long count = Float(backend, y);
        Fitting(backend, count, read, y);
        return count;
    }

    /// <summary>Backward of an activation: returns the count.</summary>
    public static long ActivationBackward(IBackend backend, ActivationBackward o)
    {
        Known(o.Kind);
        return Elementwise(backend, o.InputGradient, o.Output, o.OutputGradient);
    }

    /// <summary>Backward of a product number by number: returns the count.</summary>
    public static long MultiplyBackward(IBackend backend, MultiplyBackward o)
    {
        long count = Float(backend, o.OutputGradient);
        Fitting(backend, count, [o.A, o.B, o.OutputGradient], o.AGradient, o.BGradient);
        return count;
    }

    /// <summary>A highway: returns the count.</summary>
    public static long HighwayForward(IBackend backend, HighwayForward o) => Elementwise(backend, o.Output, o.Gate, o.Candidate, o.Input);

    /// <summary>Its backward: returns the count.</summary>
    public static long HighwayBackward(IBackend backend, HighwayBackward o)
    {
        ArgumentNullException.ThrowIfNull(o.GateGradient);
        ArgumentNullException.ThrowIfNull(o.CandidateGradient);
        long count = Float(backend, o.OutputGradient);
        Fitting(
            backend, count, [o.Gate, o.Candidate, o.Input, o.OutputGradient], o.GateGradient, o.CandidateGradient, o.InputGradient);
        return count;
    }

    /// <summary>y += alpha k x: returns the count.</summary>
    public static long AddMultiple(IBackend backend, AddMultipleOperands o)
    {
        long count = o.X is null ? Float(backend, o.Y) : Elementwise(backend, o.Y, o.X);
        Float(backend, o.Number, 1);
        Apart(backend, o.Y, o.Number);
        return count;
    }

    /// <summary>A nonlinearity that there is.</summary>
    public static void Known(ActivationKind kind)
    {
        if (!Enum.IsDefined(kind)) throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown activation.");
    }

    // All of one count; a result is an operand's very memory or apart from it, and apart from the other results.
    private static void Fitting(IBackend backend, long count, ReadOnlySpan<Tensor> read, params ReadOnlySpan<Tensor?> results)
    {
        foreach (Tensor operand in read) Counted(backend, operand, count);

        for (int i = 0; i < results.Length; i++)
        {
            if (results[i] is not { } result) continue;
            Counted(backend, result, count);
            foreach (Tensor operand in read)
            {
                if (result.Offset != operand.Offset) Apart(backend, result, operand);
            }

            for (int j = 0; j < i; j++)
            {
                if (results[j] is { } other) Apart(backend, result, other);
            }
        }
    }

    private static void Counted(IBackend backend, Tensor operand, long count)
    {
        if (Float(backend, operand) != count)
            Fail($"{operand.Shape} has {operand.Count} elements, another operand {count}; they must agree.", nameof(operand));
    }
}
