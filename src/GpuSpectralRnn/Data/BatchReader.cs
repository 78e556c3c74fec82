namespace GpuSpectralRnn.Data;

/// <summary>
/// Reads a data set batch by batch into one reused <see cref="Batch"/>; the last batch of a pass may be smaller. While a batch is worked on, the data
/// know which comes next (<see cref="ISequenceData.Expect"/>). Nothing is allocated after construction.
/// <para>
/// A stream is read in B columns of W = ceil(count / B) windows each: batch n holds the windows b W + n, so that every row continues its row of the
/// batch before. Batches are always full, a column that ran out holds nothing (length 0), and the order is never shuffled.
/// </para>
/// </summary>
public sealed class BatchReader
{
    private readonly ISequenceData data;
    private readonly long extent; // places of a pass
    private readonly int[] numbers, expected; // [B], of the batch read last and of the next one
    private readonly int[] order; // [N], of a shuffled pass; empty of a stream, which is never shuffled
    private bool isShuffled;
    private long position;

    /// <summary>Prepares a pass in the data's own order.</summary>
    /// <param name="data">What to read.</param>
    /// <param name="batchSize">Sequences per batch; more than the set has means the whole set.</param>
    /// <exception cref="InvalidCallException">The set is empty or the batch size is below 1.</exception>
    public BatchReader(ISequenceData data, int batchSize)
    {
        if (data.Count < 1) throw new InvalidCallException($"{data.Name} is empty; there is nothing to read.");
        if (batchSize < 1) throw new InvalidCallException($"The batch size {batchSize} cannot be; name 1 or more.");
        this.data = data;
        BatchSize = Math.Min(batchSize, data.Count);
        extent = data.Layout.IsStream ? ((long)data.Count + BatchSize - 1) / BatchSize * BatchSize : data.Count;
        order = data.Layout.IsStream ? [] : new int[data.Count];
        (numbers, expected) = (new int[BatchSize], new int[BatchSize]);
        Batch = new Batch(data.Layout, BatchSize);
    }

    /// <summary>
    /// Prepares a pass in the data's own order whose batches, of up to 256 sequences, take no more than 16 MB unless a single sequence does.
    /// </summary>
    public static BatchReader OfLittleMemory(ISequenceData data)
    {
        const int most = 256, numbers = 1 << 22;
        return new BatchReader(data, (int)Math.Clamp(numbers / Math.Max(1, data.Layout.Fields.Sum(field => field.Extent)), 1, most));
    }

    /// <summary>Sequences per batch, all but the last.</summary>
    public int BatchSize { get; }

    /// <summary>Batches per pass.</summary>
    public int BatchCount => (int)((extent + BatchSize - 1) / BatchSize);

    /// <summary>The batch read last.</summary>
    public Batch Batch { get; }

    /// <summary>The number of each sequence of the batch read last [B]; -1 where a stream's column has ended.</summary>
    public ReadOnlySpan<int> Numbers => numbers.AsSpan(0, Batch.Size);

    /// <summary>Whether every row of the batch read last continues its row of the one before in this pass.</summary>
    public bool Continues => data.Layout.IsStream && position > BatchSize;

    /// <summary>Begins a pass in the data's own order.</summary>
    public void Restart() => (position, isShuffled) = (0, false);

    /// <summary>
    /// Begins a pass in a random order, a function of <paramref name="seed"/>, <paramref name="epoch"/> and the number of sequences;
    /// of a stream in its own.
    /// </summary>
    public void RestartShuffled(ulong seed, int epoch)
    {
        Restart();
        if (data.Layout.IsStream) return;
        new RandomStream(seed, RandomPurpose.Shuffle, epoch).Permute(order);
        isShuffled = true;
    }

    /// <summary>Passes over the next <paramref name="batches"/> batches without reading them, to go on inside an epoch.</summary>
    public void Skip(int batches) => position = Math.Min(extent, position + ((long)batches * BatchSize));

    /// <summary>Reads the next batch into <see cref="Batch"/>; false at the end of the pass.</summary>
    public bool Next()
    {
        ReadOnlySpan<int> next = NumbersAt(position, numbers);
        if (next.IsEmpty) return false;
        data.Read(next, Batch);
        position += next.Length;
        data.Expect(NumbersAt(position, expected));
        return true;
    }

    // The numbers of the batch that begins at a place of the pass.
    private ReadOnlySpan<int> NumbersAt(long place, int[] batch)
    {
        Span<int> next = batch.AsSpan(0, (int)Math.Min(BatchSize, extent - place));
        for (int i = 0; i < next.Length; i++) next[i] = data.Layout.IsStream ? Window(place + i) : isShuffled ? order[place + i] : (int)(place + i);
        return next;
    }

    // Which window of a stream stands at a place: batch n, column b.
    private int Window(long place)
    {
        (long n, long b) = Math.DivRem(place, BatchSize);
        long window = (b * BatchCount) + n;
        return window < data.Count ? (int)window : SequenceIndices.None;
    }
}
