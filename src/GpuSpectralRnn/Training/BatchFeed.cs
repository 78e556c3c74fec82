using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Training;

/// <summary>Brings batches of a data set to a device. One host batch and one device batch, reused; what the properties return holds until the next one.</summary>
public sealed class BatchFeed : IDisposable
{
    private readonly BatchReader reader;
    private readonly Tensor inputMemory;
    private readonly Tensor? targetMemory;
    private int viewedSize;

    /// <summary>Makes room for batches of up to <paramref name="batchSize"/> sequences, or the whole set if that is smaller.</summary>
    /// <exception cref="InvalidCallException">The set is empty, or the batch size below 1 or too large.</exception>
    public BatchFeed(ISequenceData data, IBackend backend, int batchSize)
    {
        SequenceLayout layout = data.Layout;
        long inputs = (long)layout.Steps * Math.Min(batchSize, data.Count) * layout.Features;
        if (inputs > int.MaxValue) throw new InvalidCallException($"A batch of {batchSize} sequences of {data.Name} has {inputs} inputs; choose a smaller batch.");
        reader = new BatchReader(data, batchSize);
        int capacity = reader.BatchSize;
        inputMemory = backend.Allocate(new Shape((int)inputs));
        targetMemory = layout.Target switch
        {
            TargetKind.Label => backend.Allocate(new Shape(capacity), ElementType.Int32),
            TargetKind.LabelPerStep => backend.Allocate(new Shape(layout.Steps * capacity), ElementType.Int32),
            TargetKind.Value => backend.Allocate(new Shape(capacity * layout.Outputs)),
            _ => null,
        };
        Inputs = inputMemory;
    }

    /// <summary>Sequences per batch, all but the last.</summary>
    public int BatchSize => reader.BatchSize;

    /// <summary>Batches per pass.</summary>
    public int BatchCount => reader.BatchCount;

    /// <summary>B of this batch.</summary>
    public int Size => reader.Batch.Size;

    /// <summary>Rows of the outputs that count for the loss of this batch: sequences, or steps whose label is not -1.</summary>
    public int CountedRows { get; private set; }

    /// <summary>Inputs [T, B, I].</summary>
    public Tensor Inputs { get; private set; }

    /// <summary>Int32 labels [B] or [T B], or values [B, D]; null without targets.</summary>
    public Tensor? Targets { get; private set; }

    /// <summary>Begins a pass in the data's own order.</summary>
    public void Restart() => reader.Restart();

    /// <summary>Begins a pass in the order of <paramref name="seed"/> and <paramref name="epoch"/>, <paramref name="skip"/> batches after its start.</summary>
    public void RestartShuffled(ulong seed, int epoch, int skip = 0)
    {
        reader.RestartShuffled(seed, epoch);
        reader.Skip(skip);
    }

    /// <summary>Reads and uploads the next batch; false at the end of the pass.</summary>
    public bool Next()
    {
        if (!reader.Next()) return false;
        Batch batch = reader.Batch;
        SequenceLayout layout = batch.Layout;
        int size = batch.Size;
        if (size != viewedSize)
        {
            viewedSize = size;
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
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        inputMemory.Dispose();
        targetMemory?.Dispose();
    }
}
