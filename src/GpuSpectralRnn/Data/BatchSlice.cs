namespace GpuSpectralRnn.Data;

/// <summary>A part of every batch: places from Index B / Count to (Index + 1) B / Count, rounded down, of a full batch of B sequences.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Count">Parts of a batch.</param>
public readonly record struct BatchSlice(int Index, int Count)
{
    /// <summary>The whole batch.</summary>
    public static BatchSlice Whole => new(0, 1);

    /// <summary>Its first place in a full batch.</summary>
    public int First(int batchSize) => (int)((long)Index * batchSize / Count);

    /// <summary>Its places in a full batch.</summary>
    public int Extent(int batchSize) => new BatchSlice(Index + 1, Count).First(batchSize) - First(batchSize);
}
