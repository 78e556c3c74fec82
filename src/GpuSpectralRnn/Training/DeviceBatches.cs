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
        long extent = (long)layout.Steps * Math.Min(batchSize, data.Count) * layout.Features;
        if (extent > int.MaxValue)
            throw new InvalidCallException($"A batch of {batchSize} sequences of {data.Name} has {extent} inputs; choose a smaller batch.");
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

    /// <summary>Rows of the outputs that enter the loss of this batch: sequences, or steps whose label is not -1.</summary>
    public int CountedRows { get; private set; }

    /// <summary>Rows of the output of this index that enter the loss of this batch.</summary>
    public int CountedRowsOf(int output) => output == 0 ? CountedRows : Size - reader.Batch.MoreLabels(output - 1).Count(-1);

    /// <summary>Sum of the lengths of this batch: pairs of step and sequence that are not padding.</summary>
    public int ValidSteps => ValidStepsOf(0);

    /// <summary>The number in the data set of each sequence of this batch [B]; -1 where a stream's column has ended.</summary>
    public ReadOnlySpan<int> Numbers => reader.Numbers;

    /// <summary>Valid steps of each sequence of this batch [B].</summary>
    public ReadOnlySpan<int> Lengths => reader.Batch.Lengths;

    /// <summary>Sum of the lengths of this batch in the field of this index.</summary>
    public int ValidStepsOf(int field)
    {
        int sum = 0;
        foreach (int length in LengthsOf(field)) sum += length;
        return sum;
    }

    /// <summary>Valid steps of each sequence in the field of this index [B].</summary>
    public ReadOnlySpan<int> LengthsOf(int field) => field == 0 ? Lengths : reader.Batch.More[field - 1].Lengths;

    /// <summary>Int32 labels [B] of the output of this index, of data with several.</summary>
    public Tensor Labels(int output) => slots[turn].Labels(output);

    /// <summary>The network's input: inputs or tokens, the lengths where some sequence is shorter than T, and whether a stream continues.</summary>
    public SequenceBatch Current { get; private set; }

    /// <summary>Int32 labels [B] or [T B], or values [B, D]; null without targets.</summary>
    public Tensor? Targets => slots[turn].Targets;

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
        Batch batch = reader.Batch;
        SequenceLayout layout = batch.Layout;
        turn = (turn + 1) % slots.Length;
        DeviceBatch slot = slots[turn];
        bool isFull = !batch.Lengths.ContainsAnyExcept(layout.Steps);
        lane?.Begin();
        slot.Fill(batch, !isFull, lane);
        lane?.End();
        Current = new SequenceBatch(slot.Inputs, isFull ? null : slot.Lengths, reader.Continues) 
        {
            IsWhole = !layout.IsStream,
            More = slot.More,
        };
        CountedRows = layout.Target switch
        {
            TargetKind.Label or TargetKind.LabelPerStep => batch.Labels.Length - batch.Labels.Count(-1),
            TargetKind.Value => batch.Size,
            _ => 0,
        };
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceBatch slot in slots) slot.Dispose();
    }
}
