using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Device memory for one batch.</summary>
internal sealed class DeviceBatch : IDisposable
{
    private readonly SequenceLayout layout;
    private readonly Tensor inputMemory;
    private readonly Tensor? targetMemory;
    private readonly Tensor lengthMemory;
    private readonly (Tensor Values, Tensor Lengths)[] moreMemory;
    private readonly Tensor[] moreLabelMemory;
    private int viewedSize;

    /// <summary>Allocates memory for batches of up to <paramref name="capacity"/> sequences.</summary>
    public DeviceBatch(SequenceLayout layout, IBackend backend, int capacity)
    {
        this.layout = layout;
        inputMemory = backend.Allocate(
            new Shape(layout.Steps * capacity * layout.Features), layout.Vocabulary > 0 ? ElementType.Int32 : ElementType.Float32);
        lengthMemory = backend.Allocate(new Shape(capacity), ElementType.Int32);
        targetMemory = layout.Target switch
        {
            TargetKind.Label => backend.Allocate(new Shape(capacity), ElementType.Int32),
            TargetKind.LabelPerStep => backend.Allocate(new Shape(layout.Steps * capacity), ElementType.Int32),
            TargetKind.Value => backend.Allocate(new Shape(capacity * layout.Outputs)),
            _ => null,
        };
        moreMemory =
        [
            .. from field in layout.More ?? []
               let type = field.Vocabulary > 0 ? ElementType.Int32 : ElementType.Float32
               select (backend.Allocate(new Shape(field.Steps * capacity * field.Features), type),
                               backend.Allocate(new Shape(capacity), ElementType.Int32)),
        ];
        moreLabelMemory = [.. (layout.MoreLabels ?? []).Select(_ => backend.Allocate(new Shape(capacity), ElementType.Int32))];
        (Inputs, Lengths) = (inputMemory, lengthMemory);
    }

    /// <summary>Inputs [T, B, I], or tokens [T, B].</summary>
    public Tensor Inputs { get; private set; }

    /// <summary>Int32 [B]; filled only where some sequence is shorter than T.</summary>
    public Tensor Lengths { get; private set; }

    /// <summary>Int32 labels [B] or [T B], or values [B, D]; null without targets.</summary>
    public Tensor? Targets { get; private set; }

    /// <summary>The fields after the first; their lengths are null where all sequences are whole.</summary>
    public IReadOnlyList<SequenceField>? More { get; private set; }

    /// <summary>Int32 labels [B] of one output after another: those of <see cref="Targets"/>, then <see cref="SequenceLayout.MoreLabels"/>.</summary>
    public Tensor Labels(int output) => output == 0 ? Targets! : moreLabelMemory[output - 1].View(0, viewedSize);

    /// <summary>
    /// Copies a batch to the device, by <paramref name="lane"/> where there is one; <paramref name="hasLengths"/>: its lengths too.
    /// </summary>
    public void Fill(Batch batch, bool hasLengths, IUploadLane? lane)
    {
        View(batch.Size);
        if (layout.Vocabulary > 0) Upload<int>(batch.Tokens, Inputs, lane);
        else Upload<float>(batch.Inputs, Inputs, lane);
        if (hasLengths) Upload<int>(batch.Lengths, Lengths, lane);
        if (moreMemory.Length > 0) More = [.. batch.More.Select((field, i) => Fill(field, moreMemory[i], batch.Size, lane))];
        for (int i = 0; i < moreLabelMemory.Length; i++) Upload<int>(batch.MoreLabels(i), Labels(i + 1), lane);
        if (Targets is null) return;
        if (layout.Target == TargetKind.Value) Upload<float>(batch.Values, Targets, lane);
        else Upload<int>(batch.Labels, Targets, lane);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        inputMemory.Dispose();
        lengthMemory.Dispose();
        targetMemory?.Dispose();
        foreach ((Tensor values, Tensor lengths) in moreMemory)
        {
            values.Dispose();
            lengths.Dispose();
        }

        foreach (Tensor labels in moreLabelMemory) labels.Dispose();
    }

    private static SequenceField Fill(BatchField field, (Tensor Values, Tensor Lengths) memory, int size, IUploadLane? lane)
    {
        FieldLayout layout = field.Layout;
        bool isToken = layout.Vocabulary > 0;
        Tensor values = isToken ? memory.Values.View(0, layout.Steps, size) : memory.Values.View(0, layout.Steps, size, layout.Features);
        if (isToken) Upload<int>(field.Tokens, values, lane);
        else Upload<float>(field.Inputs, values, lane);
        if (!field.Lengths.ContainsAnyExcept(layout.Steps)) return new SequenceField(values);
        Tensor lengths = memory.Lengths.View(0, size);
        Upload<int>(field.Lengths, lengths, lane);
        return new SequenceField(values, lengths);
    }

    private static void Upload<T>(ReadOnlySpan<T> source, Tensor target, IUploadLane? lane)
        where T : unmanaged
    {
        if (lane is null) target.CopyFrom(source);
        else lane.Upload(source, target);
    }

    private void View(int size)
    {
        if (size == viewedSize) return;
        viewedSize = size;
        Inputs = layout.Vocabulary > 0 ? inputMemory.View(0, layout.Steps, size) : inputMemory.View(0, layout.Steps, size, layout.Features);
        Lengths = lengthMemory.View(0, size);
        Targets = layout.Target switch
        {
            TargetKind.Label => targetMemory!.View(0, size),
            TargetKind.LabelPerStep => targetMemory!.View(0, layout.Steps * size),
            TargetKind.Value => targetMemory!.View(0, size, layout.Outputs),
            _ => null,
        };
    }
}
