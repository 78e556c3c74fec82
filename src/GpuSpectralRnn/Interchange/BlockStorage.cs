using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// Matrices whose masks keep or drop whole blocks, in a model file: only the blocks that are kept, under the parameter's name with <c>.blocks</c>,
/// [n, rows, columns] in the order of the matrix row of blocks by row of blocks, zeros where one reaches beyond the matrix. Which blocks these are
/// stands in the metadata under <c>gsrnn.blocks</c> (docs/formats.md), and is the mask.
/// </summary>
internal sealed class BlockStorage
{
    /// <summary>The metadata key.</summary>
    public const string Key = "gsrnn.blocks";

    /// <summary>What is appended to the parameter's name.</summary>
    private const string Suffix = ".blocks";

    /// <summary>The share of the matrix up to which its blocks are kept alone.</summary>
    private const double WorthIt = 0.9;

    /// <summary>Extents of blocks that are looked for, and the least number of weights of one.</summary>
    private const int LargestExtent = 64, LeastCount = 4;

    private readonly SortedDictionary<string, Blocks> stored;

    private BlockStorage(SortedDictionary<string, Blocks> stored) => this.stored = stored;

    /// <summary>The parameters that are kept so.</summary>
    public IReadOnlyCollection<string> Names => stored.Keys;

    /// <summary>Finds the matrices whose masks are of blocks; of several extents the largest, powers of two.</summary>
    public static BlockStorage Find(Parameters parameters)
    {
        SortedDictionary<string, Blocks> found = new(StringComparer.Ordinal);
        foreach (ParameterSpec slot in parameters.Slots.Where(slot => slot.Shape.Rank == 2))
        {
            if (parameters.MaskOf(slot.Name) is not { } mask) continue;
            (int rows, int columns) = (slot.Shape.Rows, slot.Shape.Columns);
            int down = Extent(rows, (i, j) => mask.AsSpan(i * columns, columns).SequenceEqual(mask.AsSpan(j * columns, columns)));
            int across = Extent(columns, (i, j) => AreAlike(mask, columns, i, j));
            if (down * across < LeastCount) continue;
            Grid grid = new(rows, columns, down, across);
            float[] kept = [.. grid.Places.Select(place => mask[(place.Row * columns) + place.Column])];
            int count = kept.Count(x => x != 0);
            if (count > 0 && count * down * across <= WorthIt * rows * columns) found.Add(slot.Name, new Blocks(down, across, MaskText.Bits(kept)));
        }

        return new BlockStorage(found);
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="BrokenFileException">The text is damaged.</exception>
    public static BlockStorage Read(string text, string path)
    {
        try
        {
            SortedDictionary<string, Blocks> stored = JsonSerializer.Deserialize<SortedDictionary<string, Blocks>>(text) ?? [];
            return stored.All(pair => pair.Value is { Rows: >= 1 and <= LargestExtent, Columns: >= 1 and <= LargestExtent, Kept: not null })
                ? new BlockStorage(stored)
                : throw new BrokenFileException(path, $"its blocks (metadata '{Key}') have impossible extents.");
        }
        catch (JsonException e)
        {
            throw new BrokenFileException(path, $"its blocks (metadata '{Key}') cannot be read: {JsonFault.Describe(e)}.", e);
        }
    }

    /// <summary>The metadata; null where no matrix is kept so.</summary>
    public string? ToJson() => stored.Count == 0 ? null : JsonSerializer.Serialize(stored);

    /// <summary>The array as the file keeps it.</summary>
    public NamedArray Pack(NamedArray array)
    {
        if (!stored.TryGetValue(array.Name, out Blocks? blocks)) return array;
        Grid grid = new(array.Shape.Rows, array.Shape.Columns, blocks.Rows, blocks.Columns);
        float[] values = (float[])array.Values, kept = MaskText.Ones(blocks.Kept, grid.Count);
        int size = blocks.Rows * blocks.Columns, at = 0;
        float[] packed = new float[kept.Count(x => x != 0) * size];
        foreach ((int row, int column, int index) in grid.Places)
        {
            if (kept[index] == 0) continue;
            foreach ((int inside, int place) in grid.Inside(row, column)) packed[at + inside] = values[place];
            at += size;
        }

        return NamedArray.Create(array.Name + Suffix, new Shape(at / size, blocks.Rows, blocks.Columns), packed);
    }

    /// <summary>Puts whole matrices in the place of blocks.</summary>
    /// <param name="tensors">Of the file, by name.</param>
    /// <param name="graph">Whose parameters they are.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="BrokenFileException">Blocks are missing, or do not fit.</exception>
    public void Unpack(Dictionary<string, NamedArray> tensors, Graph graph, string path)
    {
        foreach ((string name, Blocks blocks) in stored)
        {
            ParameterSpec slot = graph.Parameters.SingleOrDefault(slot => slot.Name == name && slot.Shape.Rank == 2)
                ?? throw new BrokenFileException(path, $"its blocks are of {name}, which the architecture has no place for.");
            Grid grid = new(slot.Shape.Rows, slot.Shape.Columns, blocks.Rows, blocks.Columns);
            if (blocks.Kept.Length != (grid.Count + 7) / 8)
                throw new BrokenFileException(
                    path, $"its blocks of {name} are told by {blocks.Kept.Length} bytes; {slot.Shape} needs {(grid.Count + 7) / 8}.");
            float[] kept = MaskText.Ones(blocks.Kept, grid.Count);
            int count = kept.Count(x => x != 0);
            if (!tensors.Remove(name + Suffix, out NamedArray? array)) throw new BrokenFileException(path, $"it lacks the tensor {name}{Suffix}.");
            if (array.Shape != new Shape(count, blocks.Rows, blocks.Columns))
                throw new BrokenFileException(path, $"{array.Name} is {array.Shape}; {count} blocks of {blocks.Rows} x {blocks.Columns} are told of.");
            float[] packed = ModelFile.Floats(path, array), values = new float[slot.Shape.Count];
            int at = 0;
            foreach ((int row, int column, int index) in grid.Places)
            {
                if (kept[index] == 0) continue;
                foreach ((int inside, int place) in grid.Inside(row, column)) values[place] = packed[at + inside];
                at += blocks.Rows * blocks.Columns;
            }

            tensors[name] = NamedArray.Create(name, slot.Shape, values);
        }
    }

    /// <summary>Masks the parameters as the blocks say.</summary>
    public void ApplyMasks(Parameters parameters)
    {
        foreach ((string name, Blocks blocks) in stored)
        {
            Shape shape = parameters[name].Shape;
            Grid grid = new(shape.Rows, shape.Columns, blocks.Rows, blocks.Columns);
            float[] kept = MaskText.Ones(blocks.Kept, grid.Count), ones = new float[shape.Count];
            foreach ((int row, int column, int index) in grid.Places)
                foreach ((_, int place) in grid.Inside(row, column)) ones[place] = kept[index];
            parameters.SetMask(name, ones);
        }
    }

    // The largest power of two such that all rows, or columns, of each group of so many are alike.
    private static int Extent(int count, Func<int, int, bool> areAlike)
    {
        int extent = 1;
        while (extent < Math.Min(LargestExtent, count) && Enumerable.Range(0, count).All(i => areAlike(i, i / (2 * extent) * 2 * extent))) extent *= 2;
        return extent;
    }

    private static bool AreAlike(float[] mask, int columns, int i, int j)
    {
        for (int row = 0; row < mask.Length; row += columns)
            if (mask[row + i] != mask[row + j]) return false;
        return true;
    }

    /// <summary>Extents, and a bit for every block of the matrix.</summary>
    private sealed record Blocks(
        [property: JsonPropertyName("rows")] int Rows,
        [property: JsonPropertyName("columns")] int Columns,
        [property: JsonPropertyName("kept")] byte[] Kept);

    /// <summary>The blocks of a matrix.</summary>
    private readonly record struct Grid(int Rows, int Columns, int BlockRows, int BlockColumns)
    {
        private int Across => (Columns + BlockColumns - 1) / BlockColumns;

        /// <summary>How many.</summary>
        public int Count => (Rows + BlockRows - 1) / BlockRows * Across;

        /// <summary>The first row and column of each, in order.</summary>
        public IEnumerable<(int Row, int Column, int Index)> Places
        {
            get
            {
                for (int index = 0; index < Count; index++) yield return (index / Across * BlockRows, index % Across * BlockColumns, index);
            }
        }

        /// <summary>The places of a block's weights within it and in the matrix.</summary>
        public IEnumerable<(int Inside, int Place)> Inside(int row, int column)
        {
            for (int i = row; i < Math.Min(Rows, row + BlockRows); i++)
            {
                for (int j = column; j < Math.Min(Columns, column + BlockColumns); j++)
                    yield return (((i - row) * BlockColumns) + j - column, (i * Columns) + j);
            }
        }
    }
}
