namespace GpuSpectralRnn.Data;

/// <summary>Kind of target of a data set.</summary>
public enum TargetKind
{
    /// <summary>Nothing: inputs only (predict, spectrum, prune).</summary>
    None,

    /// <summary>One class label per sequence.</summary>
    Label,

    /// <summary>One class label per step (the copy task, language models).</summary>
    LabelPerStep,

    /// <summary>A vector of real numbers per sequence.</summary>
    Value,
}

/// <summary>What every sequence of one field of a data set has in common.</summary>
/// <param name="Steps">T.</param>
/// <param name="Features">I, inputs per step; 1 of tokens.</param>
/// <param name="Vocabulary">V: every step is one token of 0..V-1; 0 of real numbers.</param>
public readonly record struct FieldLayout(int Steps, int Features, int Vocabulary = 0);

/// <summary>Extents and kinds common to all sequences of a data set.</summary>
/// <param name="Steps">T.</param>
/// <param name="Features">I, inputs per step.</param>
/// <param name="Target">What is asked for.</param>
/// <param name="Outputs">Number of classes, or extent of the target vector; 0 without targets.</param>
public readonly record struct SequenceLayout(int Steps, int Features, TargetKind Target, int Outputs)
{
    /// <summary>V: every step is one token of 0..V-1, and <see cref="Features"/> is 1; 0 where the inputs are real numbers.</summary>
    public int Vocabulary { get; init; }

    /// <summary>The fields after the first, of data for networks that read several; null for none.</summary>
    public IReadOnlyList<FieldLayout>? More { get; init; }

    /// <summary>The classes of each label after the first, of data with several labels per sequence; null for none.</summary>
    public IReadOnlyList<int>? MoreLabels { get; init; }

    /// <summary>Number of fields.</summary>
    public int FieldCount => 1 + (More?.Count ?? 0);

    /// <summary>A field by its place.</summary>
    public FieldLayout Field(int index) => index == 0 ? new(Steps, Features, Vocabulary) : More![index - 1];

    /// <summary>Whether sequences may be shorter than <see cref="Steps"/>; see <see cref="Batch.Lengths"/>.</summary>
    public bool HasLengths { get; init; }

    /// <summary>
    /// Whether each sequence continues the one before: one long text cut into windows of <see cref="Steps"/> steps, of which the last may be shorter.
    /// Such data are read in columns (see <see cref="BatchReader"/>), where the index -1 stands for nothing: length 0, tokens and inputs 0, labels
    /// -1.
    /// </summary>
    public bool IsStream { get; init; }
}

/// <summary>
/// A set of sequences of one layout, read by index. Implementations keep the raw data once (or generate it) and expand only the batch that is asked
/// for; reading is deterministic and may be called from any one thread at a time.
/// </summary>
public interface ISequenceData
{
    /// <summary>Name for messages, for example <c>digits (train)</c>.</summary>
    string Name { get; }

    /// <summary>Number of sequences.</summary>
    int Count { get; }

    /// <summary>Extents and target.</summary>
    SequenceLayout Layout { get; }

    /// <summary>
    /// Expands the sequences <paramref name="indices"/> into <paramref name="batch"/>, whose size is set to their number. Of a stream an index may be
    /// -1.
    /// </summary>
    void Read(ReadOnlySpan<int> indices, Batch batch);
}

/// <summary>Host memory for one batch, reused from batch to batch. Everything is time-major.</summary>
public sealed class Batch
{
    /// <summary>Makes room for up to <paramref name="capacity"/> sequences.</summary>
    public Batch(SequenceLayout layout, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Layout = layout;
        Capacity = capacity;
        long cells = (long)layout.Steps * capacity;
        InputMemory = layout.Vocabulary == 0 ? new float[cells * layout.Features] : [];
        TokenMemory = layout.Vocabulary == 0 ? [] : new int[cells];
        LengthMemory = new int[capacity];
        LabelMemory = layout.Target switch
        {
            TargetKind.Label => new int[capacity],
            TargetKind.LabelPerStep => new int[cells],
            _ => [],
        };
        ValueMemory = layout.Target == TargetKind.Value ? new float[(long)capacity * layout.Outputs] : [];
        More = layout.More is null ? [] : [.. layout.More.Select(field => new BatchField(this, field, capacity))];
        MoreLabelMemory = layout.MoreLabels is null ? [] : [.. layout.MoreLabels.Select(_ => new int[capacity])];
    }

    /// <summary>Extents and target.</summary>
    public SequenceLayout Layout { get; }

    /// <summary>The most sequences it can hold.</summary>
    public int Capacity { get; }

    /// <summary>B, the sequences it holds now.</summary>
    public int Size { get; private set; }

    /// <summary>Inputs [T, B, I], zero beyond a sequence's length; empty where the inputs are tokens.</summary>
    public Span<float> Inputs => InputMemory.AsSpan(0, Layout.Vocabulary == 0 ? Layout.Steps * Size * Layout.Features : 0);

    /// <summary>Tokens [T, B], 0 beyond a sequence's length; empty where the inputs are real numbers.</summary>
    public Span<int> Tokens => TokenMemory.AsSpan(0, Layout.Vocabulary == 0 ? 0 : Layout.Steps * Size);

    /// <summary>Valid steps of each sequence [B], counted from the first: T unless the data set says less.</summary>
    public Span<int> Lengths => LengthMemory.AsSpan(0, Size);

    /// <summary>Labels [B] or [T, B], by target; -1: not counted.</summary>
    public Span<int> Labels => LabelMemory.AsSpan(0, Layout.Target switch
    {
        TargetKind.Label => Size,
        TargetKind.LabelPerStep => Layout.Steps * Size,
        _ => 0,
    });

    /// <summary>The fields after the first.</summary>
    public IReadOnlyList<BatchField> More { get; }

    /// <summary>Labels [B] after the first of each sequence, by <see cref="SequenceLayout.MoreLabels"/>; -1 counts for nothing.</summary>
    public Span<int> MoreLabels(int index) => MoreLabelMemory[index].AsSpan(0, Size);

    /// <summary>Target values [B, D].</summary>
    public Span<float> Values => ValueMemory.AsSpan(0, Layout.Target == TargetKind.Value ? Size * Layout.Outputs : 0);

    private float[] InputMemory { get; }

    private int[] TokenMemory { get; }

    private int[] LengthMemory { get; }

    private int[] LabelMemory { get; }

    private float[] ValueMemory { get; }

    private int[][] MoreLabelMemory { get; }

    /// <summary>Sets B, and all lengths to T; for data sets, at the start of a read.</summary>
    public void Resize(int size)
    {
        if (size < 1 || size > Capacity) throw new ArgumentOutOfRangeException(nameof(size), size, $"This batch holds 1 to {Capacity} sequences.");
        Size = size;
        Lengths.Fill(Layout.Steps);
        foreach (BatchField field in More) field.Lengths.Fill(field.Layout.Steps);
    }
}

/// <summary>Host memory for one of several fields of a batch.</summary>
public sealed class BatchField
{
    private readonly Batch batch;
    private readonly float[] inputs;
    private readonly int[] tokens, lengths;

    internal BatchField(Batch batch, FieldLayout layout, int capacity)
    {
        (this.batch, Layout) = (batch, layout);
        long cells = (long)layout.Steps * capacity;
        inputs = layout.Vocabulary == 0 ? new float[cells * layout.Features] : [];
        tokens = layout.Vocabulary == 0 ? [] : new int[cells];
        lengths = new int[capacity];
    }

    /// <summary>Its extents.</summary>
    public FieldLayout Layout { get; }

    /// <summary>Inputs [T, B, I]; empty where they are tokens.</summary>
    public Span<float> Inputs => inputs.AsSpan(0, Layout.Vocabulary == 0 ? Layout.Steps * batch.Size * Layout.Features : 0);

    /// <summary>Tokens [T, B]; empty where the inputs are real numbers.</summary>
    public Span<int> Tokens => tokens.AsSpan(0, Layout.Vocabulary == 0 ? 0 : Layout.Steps * batch.Size);

    /// <summary>Valid steps of each sequence [B]: T unless the data set says less.</summary>
    public Span<int> Lengths => lengths.AsSpan(0, batch.Size);
}
