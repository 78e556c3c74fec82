namespace GpuSpectralRnn.Data;

/// <summary>Checks of indices common to all data sets.</summary>
internal static class SequenceIndices
{
    /// <summary>The index that stands for no sequence where a column of a stream has ended.</summary>
    public const int None = -1;

    /// <summary>Refuses an index outside <paramref name="data"/>; -1 is one of a stream.</summary>
    public static void Check(ISequenceData data, ReadOnlySpan<int> indices)
    {
        foreach (int index in indices)
        {
            if ((uint)index >= (uint)data.Count && !(index == None && data.Layout.IsStream))
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"{data.Name} has {data.Count} sequences.");
        }
    }

    /// <summary>Refuses to generate an empty set.</summary>
    public static void CheckCount(int count)
    {
        if (count < 1) throw new InvalidCallException($"{count} sequences cannot be generated; name 1 or more.");
    }
}
