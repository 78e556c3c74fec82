namespace GpuSpectralRnn.Data;

/// <summary>
/// Reads a data set batch by batch into one reused <see cref="Batch"/>; the last batch of a pass may be smaller. Nothing is allocated after
/// construction.
/// <para>
/// A stream is read in B columns of W = ceil(count / B) windows each: batch n holds the windows b W + n, so that every row continues its row of the
/// batch before. Batches are always full, a column that ran out holds nothing (length 0), and the order is never shuffled.
/// </para>
/// </summary>
public sealed class BatchReader
{
    private readonly ISequenceData data;
    private readonly int[] order;
    private int position;

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
        int columnLength = (data.Count + BatchSize - 1) / BatchSize;
        order = new int[data.Layout.IsStream ? columnLength * BatchSize : data.Count];
        Batch = new Batch(data.Layout, BatchSize);
        Restart();
    }

    /// <summary>Sequences per batch, all but the last.</summary>
    public int BatchSize { get; }

    /// <summary>Batches per pass.</summary>
    public int BatchCount => (order.Length + BatchSize - 1) / BatchSize;

    /// <summary>The batch read last.</summary>
    public Batch Batch { get; }

    /// <summary>The number of each sequence of the batch read last [B]; -1 where a stream's column has ended.</summary>
    public ReadOnlySpan<int> Numbers => order.AsSpan(position - Batch.Size, Batch.Size);

    /// <summary>Whether every row of the batch read last continues its row of the one before in this pass.</summary>
    public bool Continues => data.Layout.IsStream && position > BatchSize;

    /// <summary>Begins a pass in the data's own order.</summary>
    public void Restart()
    {
        for (int i = 0; i < order.Length; i++) order[i] = data.Layout.IsStream ? Window(i) : i;
        position = 0;
    }

    /// <summary>
    /// Begins a pass in a random order, a function of <paramref name="seed"/>, <paramref name="epoch"/> and the number of sequences;
    /// of a stream in its own.
    /// </summary>
    public void RestartShuffled(ulong seed, int epoch)
    {
        Restart();
        if (!data.Layout.IsStream) new RandomStream(seed, RandomPurpose.Shuffle, epoch).Permute(order);
    }

    /// <summary>Passes over the next <paramref name="batches"/> batches without reading them, to go on inside an epoch.</summary>
    public void Skip(int batches) => position = (int)Math.Min(order.Length, position + ((long)batches * BatchSize));

    /// <summary>Reads the next batch into <see cref="Batch"/>; false at the end of the pass.</summary>
    public bool Next()
    {
        int size = Math.Min(BatchSize, order.Length - position);
        if (size == 0) return false;
        data.Read(order.AsSpan(position, size), Batch);
        position += size;
        return true;
    }

    // Which window of a stream stands at place i: batch n, column b.
    private int Window(int i)
    {
        (int n, int b) = Math.DivRem(i, BatchSize);
        int window = (b * BatchCount) + n;
        return window < data.Count ? window : SequenceIndices.None;
    }
}
