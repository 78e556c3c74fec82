using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Device memory for one batch: what a <see cref="Batch"/> is on the host.</summary>
internal sealed class DeviceBatch : IDisposable
{
    private readonly DisposableBag owned = new();
    private readonly (Tensor Values, Tensor Lengths)[] fieldMemory;
    private readonly Tensor[] targetMemory;
    private readonly SequenceField[] views; // of this many sequences, with lengths
    private readonly SequenceField[] fields; // without lengths where all are whole
    private readonly Tensor[] targets;
    private int viewedSize;

    /// <summary>Allocates memory for batches of up to <paramref name="capacity"/> sequences.</summary>
    public DeviceBatch(SequenceLayout layout, IBackend backend, int capacity)
    {
        fieldMemory = [.. layout.Fields.Select(field => (
            owned.Keep(backend.Allocate(new Shape((int)field.Extent * capacity), field.Vocabulary > 0 ? ElementType.Int32 : ElementType.Float32)),
            owned.Keep(backend.Allocate(new Shape((field.Characters > 0 ? field.Steps : 1) * capacity), ElementType.Int32))))];
        targetMemory = [.. layout.Targets.Select(target => owned.Keep(target.Kind == TargetKind.Value
            ? backend.Allocate(new Shape(capacity * target.Outputs))
            : backend.Allocate(new Shape(capacity * (target.Kind == TargetKind.LabelPerStep ? layout.Steps : 1)), ElementType.Int32)))];
        (views, fields, targets) = (new SequenceField[fieldMemory.Length], new SequenceField[fieldMemory.Length], new Tensor[targetMemory.Length]);
    }

    /// <summary>The fields, as networks take them; the list holds those of the next batch after the next <see cref="Fill"/>.</summary>
    public IReadOnlyList<SequenceField> Fields => fields;

    /// <summary>Int32 labels [B] or [T B], or values [B, D], of each target.</summary>
    public IReadOnlyList<Tensor> Targets => targets;

    /// <summary>Copies a batch to the device, by <paramref name="lane"/> where there is one; allocates nothing while B stays.</summary>
    public void Fill(Batch batch, IUploadLane? lane)
    {
        View(batch);
        for (int i = 0; i < fields.Length; i++)
        {
            BatchField field = batch.Fields[i];
            if (field.Layout.Vocabulary > 0) Upload<int>(field.Tokens, views[i].Values, lane);
            else Upload<float>(field.Inputs, views[i].Values, lane);
            bool isWhole = field.Layout.Characters == 0 && !field.Lengths.ContainsAnyExcept(field.Whole);
            if (!isWhole) Upload<int>(field.Lengths, views[i].Lengths!, lane);
            fields[i] = isWhole ? views[i] with { Lengths = null } : views[i];
        }

        for (int i = 0; i < targets.Length; i++)
        {
            BatchTarget target = batch.Targets[i];
            if (target.Layout.Kind == TargetKind.Value) Upload<float>(target.Values, targets[i], lane);
            else Upload<int>(target.Labels, targets[i], lane);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    private static void Upload<T>(ReadOnlySpan<T> source, Tensor target, IUploadLane? lane)
        where T : unmanaged
    {
        if (lane is null) target.CopyFrom(source);
        else lane.Upload(source, target);
    }

    private void View(Batch batch)
    {
        int size = batch.Size;
        if (size == viewedSize) return;
        viewedSize = size;
        for (int i = 0; i < views.Length; i++)
        {
            (FieldLayout layout, (Tensor values, Tensor lengths)) = (batch.Fields[i].Layout, fieldMemory[i]);
            views[i] = layout switch
            {
                { Characters: > 0 } => new(values.View(0, layout.Characters, layout.Steps, size), lengths.View(0, layout.Steps, size)),
                { Vocabulary: > 0 } => new(values.View(0, layout.Steps, size), lengths.View(0, size)),
                _ => new(values.View(0, layout.Steps, size, layout.Features), lengths.View(0, size)),
            };
        }

        for (int i = 0; i < targets.Length; i++)
        {
            TargetLayout layout = batch.Targets[i].Layout;
            targets[i] = layout.Kind switch
            {
                TargetKind.Value => targetMemory[i].View(0, size, layout.Outputs),
                TargetKind.LabelPerStep => targetMemory[i].View(0, batch.Layout.Steps * size),
                _ => targetMemory[i].View(0, size),
            };
        }
    }
}
