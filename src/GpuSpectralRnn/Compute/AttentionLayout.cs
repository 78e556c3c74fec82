namespace GpuSpectralRnn.Compute;

/// <summary>Where things stand in the workspace of an attention, in numbers from its start; the same on every backend.</summary>
internal readonly struct AttentionLayout(AttentionShape shape)
{
    /// <summary>a [T, B, J].</summary>
    public const long Shares = 0;

    /// <summary>T B.</summary>
    public long Cells => (long)shape.ContextSteps * shape.Batch;

    /// <summary>J B.</summary>
    public long Words => (long)shape.QuestionSteps * shape.Batch;

    /// <summary>T B J.</summary>
    public long Pairs => Cells * shape.QuestionSteps;

    /// <summary>B F.</summary>
    public long Summaries => (long)shape.Batch * shape.Width;

    /// <summary>b [T, B].</summary>
    public long ContextShares => Shares + Pairs;

    /// <summary>The largest scores [T, B].</summary>
    public long Largest => ContextShares + Cells;

    /// <summary>Their places [T, B].</summary>
    public long Winners => Largest + Cells;

    /// <summary>c [B, F].</summary>
    public long Summary => Winners + Cells;

    /// <summary>Where the forward pass's part ends.</summary>
    public long EndOfForward => Summary + Summaries;

    /// <summary>The scores' gradient [T, B, J].</summary>
    public long ScoreGradient => EndOfForward;

    /// <summary>The gradient of the largest scores [T, B].</summary>
    public long LargestGradient => ScoreGradient + Pairs;

    /// <summary>dL/dv . v [T, B].</summary>
    public long Means => LargestGradient + Cells;

    /// <summary>dL/dc [B, F].</summary>
    public long SummaryGradient => Means + Cells;

    /// <summary>sum_t dL/dS_tj h_t [J, B, F].</summary>
    public long ContextSums => SummaryGradient + Summaries;

    /// <summary>sum_t dL/dS_tj [J, B].</summary>
    public long ScoreSums => ContextSums + Words * shape.Width;

    /// <summary>Where the workspace ends.</summary>
    public long End => ScoreSums + Words;
}
