using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// Uploads the batches of a data set to a device. One host batch is reused; on the device there is one buffer, or two in turn where uploads overlap
/// computation (<see cref="IUploadLane"/>). What the properties return is valid until the next call of <see cref="Next"/>.
/// </summary>
public sealed class DeviceBatches : IDisposable
{
    private readonly BatchReader reader;
    private readonly IUploadLane? lane;
    private readonly DeviceBatch[] slots;
    private int turn;

    /// <summary>Allocates memory for batches of up to <paramref name="batchSize"/> sequences, or the whole set if that is smaller.</summary>
    /// <exception cref="InvalidCallException">The set is empty, or the batch size below 1 or too large.</exception>
    public DeviceBatches(ISequenceData data, IBackend backend, int batchSize)
    {
        SequenceLayout layout = data.Layout;
        foreach (FieldLayout field in layout.Fields)
        {
            if (field.Extent * Math.Min(batchSize, data.Count) > int.MaxValue)
                throw new InvalidCallException(
                    $"A batch of {batchSize} sequences of {data.Name} has {field.Extent * Math.Min(batchSize, data.Count)} inputs; choose a smaller batch.");
        }

        reader = new BatchReader(data, batchSize);
        lane = backend.Uploads;
        slots = new DeviceBatch[lane is null ? 1 : 2];
        for (int i = 0; i < slots.Length; i++) slots[i] = new DeviceBatch(layout, backend, reader.BatchSize);
        lane?.Begin();
    }

    /// <summary>Sequences per batch, all but the last.</summary>
    public int BatchSize => reader.BatchSize;

    /// <summary>Batches per pass.</summary>
    public int BatchCount => reader.BatchCount;

    /// <summary>B of this batch.</summary>
    public int Size => reader.Batch.Size;

    /// <summary>Sequences of this batch; fewer than <see cref="Size"/> where columns of a stream have ended.</summary>
    public int Sequences => Size - Numbers.Count(-1);

    /// <summary>Rows of an output that enter the loss of this batch: sequences, or steps whose label is not -1; 0 without targets.</summary>
    public int CountedRows(int output = 0) => output < reader.Batch.Targets.Count ? reader.Batch.Targets[output].CountedRows : 0;

    /// <summary>The number in the data set of each sequence of this batch [B]; -1 where a stream's column has ended.</summary>
    public ReadOnlySpan<int> Numbers => reader.Numbers;

    /// <summary>Valid steps of each sequence in a field [B].</summary>
    public ReadOnlySpan<int> Lengths(int field = 0) => reader.Batch.Fields[field].Lengths;

    /// <summary>Sum of the lengths in a field: pairs of step and sequence that are not padding.</summary>
    public int ValidSteps(int field = 0)
    {
        int sum = 0;
        foreach (int length in Lengths(field)) sum += length;
        return sum;
    }

    /// <summary>What a network takes: the fields, with lengths where some sequence is shorter than T, and whether a stream continues.</summary>
    public SequenceBatch Current { get; private set; }

    /// <summary>Int32 labels [B] or [T B], or values [B, D], of each output; none of inputs only.</summary>
    public IReadOnlyList<Tensor> Targets => slots[turn].Targets;

    /// <summary>Begins a pass in the data's own order.</summary>
    public void Restart() => reader.Restart();

    /// <summary>
    /// Begins a pass in the order of <paramref name="seed"/> and <paramref name="epoch"/> (a stream in its own), <paramref name="skip"/> batches
    /// after its start.
    /// </summary>
    public void RestartShuffled(ulong seed, int epoch, int skip = 0)
    {
        reader.RestartShuffled(seed, epoch);
        reader.Skip(skip);
    }

    /// <summary>Reads and uploads the next batch; false at the end of the pass.</summary>
    public bool Next()
    {
        if (!reader.Next()) return false;
        turn = (turn + 1) % slots.Length;
        DeviceBatch slot = slots[turn];
        lane?.Begin();
        slot.Fill(reader.Batch, lane);
        lane?.End();
        Current = new SequenceBatch(slot.Fields, reader.Continues) { IsWhole = !reader.Batch.Layout.IsStream };
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceBatch slot in slots) slot.Dispose();
    }
}
