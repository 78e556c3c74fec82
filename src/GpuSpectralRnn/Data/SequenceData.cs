namespace GpuSpectralRnn.Data;

/// <summary>What a data set asks the network for.</summary>
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

/// <summary>What every sequence of a data set has in common.</summary>
/// <param name="Steps">T.</param>
/// <param name="Features">I, inputs per step.</param>
/// <param name="Target">What is asked for.</param>
/// <param name="Outputs">Number of classes, or extent of the target vector; 0 without targets.</param>
public readonly record struct SequenceLayout(int Steps, int Features, TargetKind Target, int Outputs);

/// <summary>
/// A set of sequences of one layout, read by index. Implementations keep the raw data once (or generate it) and expand only the batch that is asked for; reading is
/// deterministic and may be called from any one thread at a time.
/// </summary>
public interface ISequenceData
{
    /// <summary>For messages, for example <c>digits (train)</c>.</summary>
    string Name { get; }

    /// <summary>Number of sequences.</summary>
    int Count { get; }

    /// <summary>Extents and target.</summary>
    SequenceLayout Layout { get; }

    /// <summary>Expands the sequences <paramref name="indices"/> into <paramref name="batch"/>, whose size is set to their number.</summary>
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
        InputMemory = new float[(long)layout.Steps * capacity * layout.Features];
        LabelMemory = layout.Target switch
        {
            TargetKind.Label => new int[capacity],
            TargetKind.LabelPerStep => new int[(long)layout.Steps * capacity],
            _ => [],
        };
        ValueMemory = layout.Target == TargetKind.Value ? new float[(long)capacity * layout.Outputs] : [];
    }

    /// <summary>Extents and target.</summary>
    public SequenceLayout Layout { get; }

    /// <summary>The most sequences it can hold.</summary>
    public int Capacity { get; }

    /// <summary>B, the sequences it holds now.</summary>
    public int Size { get; private set; }

    /// <summary>Inputs [T, B, I].</summary>
    public Span<float> Inputs => InputMemory.AsSpan(0, Layout.Steps * Size * Layout.Features);

    /// <summary>Labels [B] or [T, B], by target; -1 counts for nothing.</summary>
    public Span<int> Labels => LabelMemory.AsSpan(0, Layout.Target switch
    {
        TargetKind.Label => Size,
        TargetKind.LabelPerStep => Layout.Steps * Size,
        _ => 0,
    });

    /// <summary>Target values [B, D].</summary>
    public Span<float> Values => ValueMemory.AsSpan(0, Layout.Target == TargetKind.Value ? Size * Layout.Outputs : 0);

    private float[] InputMemory { get; }

    private int[] LabelMemory { get; }

    private float[] ValueMemory { get; }

    /// <summary>Sets B; for data sets, at the start of a read.</summary>
    public void Resize(int size)
    {
        if (size < 1 || size > Capacity) throw new ArgumentOutOfRangeException(nameof(size), size, $"This batch holds 1 to {Capacity} sequences.");
        Size = size;
    }
}
