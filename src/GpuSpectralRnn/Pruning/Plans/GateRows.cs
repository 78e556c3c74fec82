namespace GpuSpectralRnn.Pruning;

/// <summary>Which rows of a stacked gate matrix belong to a set of units: the same units in every gate.</summary>
internal static class GateRows
{
    /// <summary>For every gate g the rows g m + j, j in J.</summary>
    public static int[] Select(ReadOnlySpan<int> kept, int units, int gates)
    {
        int[] rows = new int[gates * kept.Length];
        for (int g = 0; g < gates; g++)
            for (int i = 0; i < kept.Length; i++) rows[g * kept.Length + i] = g * units + kept[i];
        return rows;
    }
}
