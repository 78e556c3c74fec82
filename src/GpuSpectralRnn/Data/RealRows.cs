using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Rows of float32 in NPY files, every number that counts finite. A small set is read and checked once and kept; of a larger one a row is read and
/// checked when it is asked for.
/// </summary>
internal sealed class RealRows : IDisposable
{
    private const int Chunk = 1 << 18; // numbers that are read at a time

    private readonly NpySet files;
    private readonly int[] lengths; // [N], or empty
    private readonly int step; // numbers of a step
    private readonly float[]? kept;
    private readonly float[] row = [];

    /// <summary>Takes over <paramref name="files"/>, and reads them where they take no more than <paramref name="mostKept"/> bytes as float32.</summary>
    /// <param name="files">[N, ...] of floating-point numbers.</param>
    /// <param name="lengths">Steps that count of each row [N]; what lies beyond may be anything and is given as zeros. Empty: all.</param>
    /// <param name="mostKept">In bytes.</param>
    /// <exception cref="InvalidCallException">A number of a set that is kept is NaN or infinite, or a row is larger than one array.</exception>
    public RealRows(NpySet files, int[] lengths, long mostKept)
    {
        (this.files, this.lengths) = (files, lengths);
        if (files.RowLength > Array.MaxLength)
            throw new InvalidCallException($"{files.Name} has rows of {files.RowLength:N0} numbers; at most {Array.MaxLength:N0} can be read at once.");
        Width = (int)files.RowLength;
        step = files.Shape.Rank < 2 ? Width : Width / files.Shape[1];
        IsKept = files.Shape.Count <= Math.Min(mostKept / sizeof(float), Array.MaxLength);
        if (!IsKept)
        {
            row = new float[Width];
            return;
        }

        kept = new float[(int)files.Shape.Count];
        int rows = Math.Max(1, Chunk / Width);
        for (int first = 0; first < files.Shape[0]; first += rows)
        {
            int end = Math.Min(first + rows, files.Shape[0]);
            files.Read(first * files.RowLength, kept.AsSpan(first * Width, (end - first) * Width));
            for (int n = first; n < end; n++) Check(n, kept.AsSpan(n * Width, Width));
        }

        files.Dispose();
    }

    /// <summary>Numbers of a row.</summary>
    public int Width { get; }

    /// <summary>Whether they are in memory.</summary>
    public bool IsKept { get; }

    /// <summary>Row <paramref name="n"/>, until the next call.</summary>
    /// <exception cref="InvalidCallException">A number is NaN or infinite.</exception>
    /// <exception cref="BrokenFileException">The file cannot be read.</exception>
    public ReadOnlySpan<float> Read(int n)
    {
        if (kept is not null) return kept.AsSpan(n * Width, Width);
        files.Read(n * files.RowLength, row.AsSpan());
        Check(n, row);
        return row;
    }

    /// <summary>Says which rows will be read next.</summary>
    public void Expect(ReadOnlySpan<int> rows)
    {
        if (kept is not null) return;
        for (int i = 0; i < rows.Length;)
        {
            int next = i + 1;
            while (next < rows.Length && rows[next] == rows[next - 1] + 1) next++;
            files.Expect(rows[i], next - i);
            i = next;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    private void Check(int n, Span<float> values)
    {
        int valid = lengths.Length == 0 ? values.Length : lengths[n] * step;
        values[valid..].Clear();
        if (values[..valid].IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) is not (>= 0 and var wrong)) return;
        long element = (n * files.RowLength) + wrong;
        (string file, string indices) = files.Place(element);
        string order = files.Shape.Rank == 3 ? " (sequence, step, input)" : "";
        throw new InvalidCallException(
            $"{file}: the value at {indices}{order} is {files.Read(element, 1).GetValue(0)}, not a finite float32; clean the data.");
    }
}
