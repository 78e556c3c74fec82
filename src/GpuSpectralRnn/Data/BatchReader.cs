namespace GpuSpectralRnn.Data;

/// <summary>
/// Reads a data set batch by batch into one reused <see cref="Batch"/>; the last batch of a pass may be smaller. While a batch is worked on, the data
/// know which comes next (<see cref="ISequenceData.Expect"/>). Nothing is allocated after construction.
/// <para>
/// A stream is read in B columns of W = ceil(count / B) windows each: batch n holds the windows b W + n, so that every row continues its row of the
/// batch before. Batches are always full, a column that ran out holds nothing (length 0), and the order is never shuffled.
/// </para>
/// <para>
/// A reader of a slice reads these places of every batch and passes over the others; of a last batch that is smaller there may be none.
/// </para>
/// </summary>
public sealed class BatchReader
{
    private readonly ISequenceData data;
    private readonly long extent; // places of a pass
    private readonly BatchSlice slice;
    private readonly int[] numbers, expected; // of the slice: of the batch read last and of the next one
    private readonly int[] order; // [N], of a shuffled pass; empty of a stream, which is never shuffled
    private bool isShuffled;
    private long position;

    /// <summary>Prepares a pass in the data's own order.</summary>
    /// <param name="data">What to read.</param>
    /// <param name="batchSize">Sequences per batch; more than the set has means the whole set.</param>
    /// <param name="slice">The part of every batch to read; the whole batch if left out.</param>
    /// <exception cref="InvalidCallException">The set is empty, the batch size below 1, or a full batch has fewer sequences than slices.</exception>
    public BatchReader(ISequenceData data, int batchSize, BatchSlice? slice = null)
    {
        if (data.Count < 1) throw new InvalidCallException($"{data.Name} is empty; there is nothing to read.");
        if (batchSize < 1) throw new InvalidCallException($"The batch size {batchSize} cannot be; name 1 or more.");
        this.data = data;
        this.slice = slice ?? BatchSlice.Whole;
        BatchSize = Math.Min(batchSize, data.Count);
        if (BatchSize < this.slice.Count)
            throw new InvalidCallException($"{this.slice.Count} parts cannot share batches of {BatchSize} sequences of {data.Name}; choose larger batches or fewer parts.");
        extent = data.Layout.IsStream ? ((long)data.Count + BatchSize - 1) / BatchSize * BatchSize : data.Count;
        order = data.Layout.IsStream ? [] : new int[data.Count];
        Capacity = this.slice.Extent(BatchSize);
        (numbers, expected) = (new int[Capacity], new int[Capacity]);
        Batch = new Batch(data.Layout, Capacity);
    }

    /// <summary>
    /// Prepares a pass in the data's own order whose batches, of up to 256 sequences, take no more than 16 MB unless a single sequence does.
    /// </summary>
    public static BatchReader OfLittleMemory(ISequenceData data)
    {
        const int most = 256, numbers = 1 << 22;
        return new BatchReader(data, (int)Math.Clamp(numbers / Math.Max(1, data.Layout.Fields.Sum(field => field.Extent)), 1, most));
    }

    /// <summary>Sequences per batch, all but the last, those of other slices included.</summary>
    public int BatchSize { get; }

    /// <summary>The most sequences that a slice has.</summary>
    public int Capacity { get; }

    /// <summary>Sequences of the batch read last, those of other slices included.</summary>
    public int WholeSize { get; private set; }

    /// <summary>Sequences read last; 0 where a last batch leaves this slice none, and <see cref="Batch"/> is then of the batch before.</summary>
    public int Size { get; private set; }

    /// <summary>Place of the slice's first sequence in the batch.</summary>
    public int First => slice.First(BatchSize);

    /// <summary>Batches per pass.</summary>
    public int BatchCount => (int)((extent + BatchSize - 1) / BatchSize);

    /// <summary>The batch read last.</summary>
    public Batch Batch { get; }

    /// <summary>The number of each sequence of the batch read last [B]; -1 where a stream's column has ended.</summary>
    public ReadOnlySpan<int> Numbers => numbers.AsSpan(0, Size);

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

    /// <summary>Reads the next batch, of it the slice, into <see cref="Batch"/>; false at the end of the pass.</summary>
    public bool Next()
    {
        WholeSize = (int)Math.Min(BatchSize, extent - position);
        if (WholeSize == 0) return false;
        ReadOnlySpan<int> next = NumbersAt(position, numbers);
        Size = next.Length;
        if (Size > 0) data.Read(next, Batch);
        position += WholeSize;
        data.Expect(NumbersAt(position, expected));
        return true;
    }

    // The numbers of the slice of the batch that begins at a place of the pass.
    private ReadOnlySpan<int> NumbersAt(long place, int[] batch)
    {
        long first = place + First;
        Span<int> next = batch.AsSpan(0, (int)Math.Clamp(extent - first, 0, Capacity));
        for (int i = 0; i < next.Length; i++) next[i] = data.Layout.IsStream ? Window(first + i) : isShuffled ? order[first + i] : (int)(first + i);
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
