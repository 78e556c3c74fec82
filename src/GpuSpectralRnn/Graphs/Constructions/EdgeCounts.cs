namespace GpuSpectralRnn.Graphs;

/// <summary>How many edges a density is.</summary>
public static class EdgeCounts
{
    /// <summary>The edges of [rows, columns] at a density, one at least.</summary>
    public static int Of(int rows, int columns, double density) => (int)Math.Max(1, Math.Round(density * rows * columns));

    /// <summary>Refuses numbers of edges that do not fit.</summary>
    /// <exception cref="InvalidCallException">There are not so many places, or fewer than none are asked for.</exception>
    internal static void Check(int rows, int columns, int edges)
    {
        if (rows < 1 || columns < 1 || edges < 0 || edges > (long)rows * columns)
            throw new InvalidCallException($"A mask of {edges} weights does not fit {rows} x {columns}.");
    }
}
