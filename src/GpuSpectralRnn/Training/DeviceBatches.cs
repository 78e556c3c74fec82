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
    private readonly long[] meanRows; // 0: as many as are counted
    private int turn;

    /// <summary>Allocates memory for batches of up to <paramref name="batchSize"/> sequences, or the whole set if that is smaller.</summary>
    /// <param name="data">The set.</param>
    /// <param name="backend">The device.</param>
    /// <param name="batchSize">Sequences per batch.</param>
    /// <param name="slice">The part of every batch to upload; the whole batch if left out.</param>
    /// <exception cref="InvalidCallException">
    /// The set is empty, the batch size below 1 or too large, or a full batch has fewer sequences than slices.
    /// </exception>
    public DeviceBatches(ISequenceData data, IBackend backend, int batchSize, BatchSlice? slice = null)
    {
        SequenceLayout layout = data.Layout;
        foreach (FieldLayout field in layout.Fields)
        {
            if (field.Extent * Math.Min(batchSize, data.Count) > int.MaxValue)
                throw new InvalidCallException(
                    $"A batch of {batchSize} sequences of {data.Name} has {field.Extent * Math.Min(batchSize, data.Count)} inputs; choose a smaller batch.");
        }

        reader = new BatchReader(data, batchSize, slice);
        meanRows = new long[layout.Targets.Count];
        lane = backend.Uploads;
        slots = new DeviceBatch[lane is null ? 1 : 2];
        for (int i = 0; i < slots.Length; i++) slots[i] = new DeviceBatch(layout, backend, reader.Capacity);
        lane?.Begin();
    }

    /// <summary>Sequences per batch, all but the last, those of other slices included.</summary>
    public int BatchSize => reader.BatchSize;

    /// <summary>Batches per pass.</summary>
    public int BatchCount => reader.BatchCount;

    /// <summary>B of this batch, of it the slice; 0 where a last batch leaves it no sequence, and there is then nothing to run.</summary>
    public int Size => reader.Size;

    /// <summary>Place of the slice's first sequence in the batch.</summary>
    public int First => reader.First;

    /// <summary>Sequences of this batch, those of other slices included.</summary>
    public int WholeSize => reader.WholeSize;

    /// <summary>Sequences of this batch; fewer than <see cref="Size"/> where columns of a stream have ended.</summary>
    public int Sequences => Size - Numbers.Count(-1);

    /// <summary>Rows of an output that enter the loss of this batch: sequences, or steps whose label is not -1; 0 without targets.</summary>
    public int CountedRows(int output = 0) => Size > 0 && output < reader.Batch.Targets.Count ? reader.Batch.Targets[output].CountedRows : 0;

    /// <summary>Rows over which the loss of this batch is a mean: those counted, unless <see cref="ShareMean"/> says more; 1 or more.</summary>
    public long MeanRows(int output = 0) => Math.Max(1, output < meanRows.Length && meanRows[output] > 0 ? meanRows[output] : CountedRows(output));

    /// <summary>Says how many rows the whole batch has of which this is a slice, until the next batch.</summary>
    /// <param name="rows">Rows of each output.</param>
    public void ShareMean(ReadOnlySpan<long> rows) => rows.CopyTo(meanRows);

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

    /// <summary>Reads and uploads the next batch, of it the slice; false at the end of the pass.</summary>
    public bool Next()
    {
        if (!reader.Next()) return false;
        meanRows.AsSpan().Clear();
        if (Size == 0) return true;
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
