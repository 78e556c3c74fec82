namespace GpuSpectralRnn.Data;

/// <summary>Host memory for one batch, reused from batch to batch. Everything is time-major.</summary>
public sealed class Batch
{
    /// <summary>Makes room for up to <paramref name="capacity"/> sequences.</summary>
    public Batch(SequenceLayout layout, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Layout = layout;
        Capacity = capacity;
        Fields = [.. layout.Fields.Select(field => new BatchField(this, field))];
        Targets = [.. layout.Targets.Select(target => new BatchTarget(this, target))];
    }

    /// <summary>Extents and targets.</summary>
    public SequenceLayout Layout { get; }

    /// <summary>The most sequences it can hold.</summary>
    public int Capacity { get; }

    /// <summary>B, the sequences it holds now.</summary>
    public int Size { get; private set; }

    /// <summary>The fields, in the order of <see cref="SequenceLayout.Fields"/>.</summary>
    public IReadOnlyList<BatchField> Fields { get; }

    /// <summary>The targets, in the order of <see cref="SequenceLayout.Targets"/>.</summary>
    public IReadOnlyList<BatchTarget> Targets { get; }

    /// <summary>Inputs of the first field.</summary>
    public Span<float> Inputs => Fields[0].Inputs;

    /// <summary>Tokens of the first field.</summary>
    public Span<int> Tokens => Fields[0].Tokens;

    /// <summary>Lengths of the first field.</summary>
    public Span<int> Lengths => Fields[0].Lengths;

    /// <summary>Labels of the first target; empty without.</summary>
    public Span<int> Labels => Targets.Count > 0 ? Targets[0].Labels : [];

    /// <summary>Values of the first target; empty without.</summary>
    public Span<float> Values => Targets.Count > 0 ? Targets[0].Values : [];

    /// <summary>Sets B, and all lengths to T; for data sets, at the start of a read.</summary>
    public void Resize(int size)
    {
        if (size < 1 || size > Capacity) throw new ArgumentOutOfRangeException(nameof(size), size, $"This batch holds 1 to {Capacity} sequences.");
        Size = size;
        for (int i = 0; i < Fields.Count; i++) Fields[i].Lengths.Fill(Fields[i].Whole);
    }
}

/// <summary>Host memory for one field of a batch.</summary>
public sealed class BatchField
{
    private readonly Batch batch;
    private readonly float[] inputs;
    private readonly int[] tokens, lengths;

    internal BatchField(Batch batch, FieldLayout layout)
    {
        (this.batch, Layout) = (batch, layout);
        inputs = layout.Vocabulary == 0 ? new float[layout.Extent * batch.Capacity] : [];
        tokens = layout.Vocabulary == 0 ? [] : new int[layout.Extent * batch.Capacity];
        lengths = new int[(layout.Characters > 0 ? layout.Steps : 1) * batch.Capacity];
    }

    /// <summary>Its extents.</summary>
    public FieldLayout Layout { get; }

    /// <summary>Inputs [T, B, I], zero beyond a sequence's length; empty where they are tokens.</summary>
    public Span<float> Inputs => inputs.AsSpan(0, Layout.Vocabulary == 0 ? Extent : 0);

    /// <summary>Tokens [T, B] or characters [W, T, B], 0 beyond a length; empty where the inputs are real numbers.</summary>
    public Span<int> Tokens => tokens.AsSpan(0, Layout.Vocabulary == 0 ? 0 : Extent);

    /// <summary>
    /// Valid steps of each sequence [B], counted from the first: T unless the data set says less. Of characters the valid ones of each word [T, B]: W
    /// unless it says less.
    /// </summary>
    public Span<int> Lengths => lengths.AsSpan(0, (Layout.Characters > 0 ? Layout.Steps : 1) * batch.Size);

    /// <summary>The length of what is not cut short: T, or W of characters.</summary>
    internal int Whole => Layout.Characters > 0 ? Layout.Characters : Layout.Steps;

    private int Extent => checked((int)(Layout.Extent * batch.Size));
}

/// <summary>Host memory for one target of a batch.</summary>
public sealed class BatchTarget
{
    private readonly Batch batch;
    private readonly int[] labels;
    private readonly float[] values;

    internal BatchTarget(Batch batch, TargetLayout layout)
    {
        (this.batch, Layout) = (batch, layout);
        labels = new int[LabelsPerSequence * batch.Capacity];
        values = layout.Kind == TargetKind.Value ? new float[(long)batch.Capacity * layout.Outputs] : [];
    }

    /// <summary>Its kind and extent.</summary>
    public TargetLayout Layout { get; }

    /// <summary>Labels [B], or [T, B] with T of the first field; -1 counts for nothing. Empty of values.</summary>
    public Span<int> Labels => labels.AsSpan(0, LabelsPerSequence * batch.Size);

    /// <summary>Values [B, D]; empty of labels.</summary>
    public Span<float> Values => values.AsSpan(0, Layout.Kind == TargetKind.Value ? batch.Size * Layout.Outputs : 0);

    /// <summary>What enters a loss: sequences, or labels that are not -1.</summary>
    internal int CountedRows => Layout.Kind == TargetKind.Value ? batch.Size : Labels.Length - Labels.Count(-1);

    private int LabelsPerSequence => Layout.Kind switch
    {
        TargetKind.Label => 1,
        TargetKind.LabelPerStep => batch.Layout.Steps,
        _ => 0,
    };
}
