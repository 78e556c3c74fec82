namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Columns of a matrix that are packed side by side: <paramref name="Units"/> of each of some groups, those of group g from First + g Stride on, as
/// some units of all gates are.
/// </summary>
/// <param name="Count">Number of groups.</param>
/// <param name="First">The first column of the first group.</param>
/// <param name="Stride">Columns from one group to the next one's.</param>
/// <param name="Units">Columns of each group.</param>
internal readonly record struct ColumnGroups(int Count, int First, int Stride, int Units)
{
    /// <summary>All <paramref name="columns"/> of a matrix.</summary>
    public static ColumnGroups All(int columns) => new(1, 0, columns, columns);

    /// <summary>Number of columns.</summary>
    public int Columns => Count * Units;

    /// <summary>
    /// Where packed column <paramref name="column"/> stands in the matrix, and how many up to <paramref name="end"/> stand there side by side.
    /// </summary>
    public (int Source, int Count) RunAt(int column, int end)
    {
        (int group, int unit) = Math.DivRem(column, Units);
        return (First + group * Stride + unit, Math.Min(end - column, Units - unit));
    }
}
