using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// One array that lies in one NPY file, or in several, one behind the other along the first extent; only what is asked for is read. One thread at a
/// time.
/// </summary>
public sealed class NpySet : INumberArray, IDisposable
{
    private const int MostOpen = 64; // files; a set may have more parts than a process may open

    private readonly Part[] parts;
    private readonly List<Part> open = []; // the one used last at the end

    private NpySet(string name, Part[] parts)
    {
        (Name, this.parts) = (name, parts);
        int[] extents = parts[0].Shape.ToArray();
        if (extents.Length > 0) extents[0] = Rows;
        Shape = new Shape(extents);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Shape Shape { get; }

    /// <summary>Whether the elements are floating-point numbers; else they are integers.</summary>
    public bool IsReal => parts[0].IsReal;

    /// <summary>Elements of one row, an index of the first extent.</summary>
    public long RowLength => Shape.Rank == 0 || Shape[0] == 0 ? 1 : Shape.Count / Shape[0];

    /// <summary>The files and the rows of each, in order.</summary>
    public IReadOnlyList<(string File, int Rows)> Files => [.. parts.Select(part => (part.Path, part.Rows))];

    private int Rows => parts[^1].FirstRow + parts[^1].Rows;

    /// <summary>Opens the file, or the files that the pattern <c>part-*.npy</c> names, in natural order.</summary>
    /// <exception cref="InvalidCallException">
    /// There is none, one may not be read or holds an array of another type or order, shapes or kinds of number differ, or the rows are too many to be
    /// numbered.
    /// </exception>
    /// <exception cref="BrokenFileException">A file is no NPY file, or truncated.</exception>
    public static NpySet Open(string pattern)
    {
        List<Part> parts = [];
        long rows = 0;
        foreach (string path in FilePattern.Expand(pattern))
        {
            using NpyArray array = NpyArray.Open(path);
            Part part = new(path, array, (int)rows);
            if (parts.Count > 0) CheckSame(parts[0], part);
            parts.Add(part);
            rows += part.Rows;
            if (rows > int.MaxValue)
                throw new InvalidCallException($"{pattern} has more than {int.MaxValue:N0} rows, the most that a set can have; name fewer files.");
        }

        return new NpySet(pattern, [.. parts]);
    }

    /// <inheritdoc/>
    public Array Read(long first, int count)
    {
        (Part part, long at) = Find(first);
        if (at + count <= part.Shape.Count || parts.Length == 1) return Opened(part).Read(at, count);
        Array head = Opened(part).Read(at, (int)(part.Shape.Count - at)), tail = Read(first + head.Length, count - head.Length);
        Array all = Array.CreateInstance(head.GetType().GetElementType()!, count);
        head.CopyTo(all, 0);
        tail.CopyTo(all, head.Length);
        return all;
    }

    /// <summary>Floating-point elements as float32, from index <paramref name="first"/> on.</summary>
    /// <exception cref="BrokenFileException">A file cannot be read, or has changed.</exception>
    public void Read(long first, Span<float> values)
    {
        while (!values.IsEmpty)
        {
            (Part part, long at) = Find(first);
            int count = (int)Math.Min(values.Length, part.Shape.Count - at);
            Opened(part).Read(at, values[..count]);
            first += count;
            values = values[count..];
        }
    }

    /// <summary>Says that these rows will be read soon.</summary>
    public void Expect(int first, int count)
    {
        while (count > 0)
        {
            (Part part, long at) = Find(first * RowLength);
            int here = Math.Min(count, part.FirstRow + part.Rows - first);
            Opened(part).Expect(at, here * RowLength);
            (first, count) = (first + here, count - here);
        }
    }

    /// <summary>The file that holds an element, and its indices there: <c>part-2.npy</c> and <c>[3, 0, 1]</c>.</summary>
    public (string File, string Indices) Place(long element)
    {
        (Part part, long at) = Find(element);
        long[] place = new long[Shape.Rank];
        for (int d = Shape.Rank - 1; d >= 0; d--) (at, place[d]) = Math.DivRem(at, part.Shape[d]);
        return (part.Path, $"[{string.Join(", ", place)}]");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Part part in open) part.Close();
        open.Clear();
    }

    private static void CheckSame(Part first, Part other)
    {
        int[] a = first.Shape.ToArray(), b = other.Shape.ToArray();
        if (a.Length == 0 || b.Length == 0 || !a.AsSpan(1).SequenceEqual(b.AsSpan(1)))
            throw new InvalidCallException(
                $"{first.Path} has the shape {first.Shape} but {other.Path} {other.Shape}; files of one set agree in all extents but the first.");
        if (first.Type != other.Type)
            throw new InvalidCallException(
                $"{first.Path} holds numbers of type {first.Type} but {other.Path} {other.Type}; save the files of one set alike.");
    }

    // The part that holds an element, and the element's index in it.
    private (Part Part, long At) Find(long element)
    {
        if (parts.Length == 1) return (parts[0], element);
        long row = element / RowLength;
        int low = 0, high = parts.Length - 1; // the last part that begins at or before the row; empty ones before it begin there too
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (parts[middle].FirstRow <= row) low = middle;
            else high = middle - 1;
        }

        return (parts[low], element - (parts[low].FirstRow * RowLength));
    }

    private NpyArray Opened(Part part)
    {
        if (open.Count > 0 && open[^1] == part) return part.Array!;
        if (!open.Remove(part))
        {
            if (open.Count == MostOpen)
            {
                open[0].Close();
                open.RemoveAt(0);
            }

            part.Open();
        }

        open.Add(part);
        return part.Array!;
    }

    /// <summary>A file of the set.</summary>
    private sealed class Part(string path, NpyArray array, int firstRow)
    {
        public string Path { get; } = path;

        public Shape Shape { get; } = array.Shape;

        public string Type { get; } = array.Type;

        public bool IsReal { get; } = array.IsReal;

        public int FirstRow { get; } = firstRow;

        public int Rows => Shape.Rank == 0 ? 1 : Shape[0];

        public NpyArray? Array { get; private set; }

        public void Open()
        {
            Array = NpyArray.Open(Path);
            if (Array.Shape == Shape && Array.Type == Type) return;
            Close();
            throw new BrokenFileException(Path, "it was replaced by another array while it was in use; start again.");
        }

        public void Close()
        {
            Array?.Dispose();
            Array = null;
        }
    }
}
