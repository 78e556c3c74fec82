using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Training;

/// <summary>Brings batches of a data set to a device. One host batch and one device batch, reused; what the properties return holds until the next load.</summary>
public sealed class BatchFeed : IDisposable
{
    private readonly ISequenceData data;
    private readonly Batch batch;
    private readonly Tensor inputMemory;
    private readonly Tensor? targetMemory;

    /// <summary>Makes room for batches of up to <paramref name="capacity"/> sequences, or the whole set if that is smaller.</summary>
    /// <exception cref="InvalidCallException">The set is empty, or the capacity below 1.</exception>
    public BatchFeed(ISequenceData data, IBackend backend, int capacity)
    {
        if (data.Count == 0) throw new InvalidCallException($"{data.Name} holds no sequences.");
        if (capacity < 1) throw new InvalidCallException($"Batch size {capacity}: choose 1 or more.");
        this.data = data;
        SequenceLayout layout = data.Layout;
        Capacity = Math.Min(capacity, data.Count);
        long inputs = (long)layout.Steps * Capacity * layout.Features;
        if (inputs > int.MaxValue) throw new InvalidCallException($"A batch of {Capacity} sequences of {data.Name} has {inputs} inputs; choose a smaller batch.");
        batch = new Batch(layout, Capacity);
        inputMemory = backend.Allocate(new Shape((int)inputs));
        targetMemory = layout.Target switch
        {
            TargetKind.Label => backend.Allocate(new Shape(Capacity), ElementType.Int32),
            TargetKind.LabelPerStep => backend.Allocate(new Shape(layout.Steps * Capacity), ElementType.Int32),
            TargetKind.Value => backend.Allocate(new Shape(Capacity * layout.Outputs)),
            _ => null,
        };
        Inputs = inputMemory;
    }

    /// <summary>The most sequences a load takes.</summary>
    public int Capacity { get; }

    /// <summary>B of the last load.</summary>
    public int Size => batch.Size;

    /// <summary>Rows of the outputs that count for the loss in the last load: sequences, or steps whose label is not -1.</summary>
    public int CountedRows { get; private set; }

    /// <summary>Inputs [T, B, I].</summary>
    public Tensor Inputs { get; private set; }

    /// <summary>Int32 labels [B] or [T B], or values [B, D]; null without targets.</summary>
    public Tensor? Targets { get; private set; }

    /// <summary>Reads the sequences <paramref name="indices"/> and uploads them.</summary>
    public void Load(ReadOnlySpan<int> indices)
    {
        SequenceLayout layout = data.Layout;
        int before = batch.Size;
        data.Read(indices, batch);
        int size = batch.Size;
        if (size != before)
        {
            Inputs = inputMemory.View(0, layout.Steps, size, layout.Features);
            Targets = layout.Target switch
            {
                TargetKind.Label => targetMemory!.View(0, size),
                TargetKind.LabelPerStep => targetMemory!.View(0, layout.Steps * size),
                TargetKind.Value => targetMemory!.View(0, size, layout.Outputs),
                _ => null,
            };
        }

        Inputs.CopyFrom<float>(batch.Inputs);
        if (layout.Target == TargetKind.Value) Targets!.CopyFrom<float>(batch.Values);
        else Targets?.CopyFrom<int>(batch.Labels);
        CountedRows = layout.Target switch
        {
            TargetKind.Label or TargetKind.LabelPerStep => batch.Labels.Length - batch.Labels.Count(-1),
            TargetKind.Value => size,
            _ => 0,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        inputMemory.Dispose();
        targetMemory?.Dispose();
    }
}
