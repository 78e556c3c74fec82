using System.Globalization;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>
/// Extents of the blocks that a mask keeps or drops whole. Such a mask is the product of a graph of blocks and the complete graph of one block
/// (products of bipartite Ramanujan graphs: Vooturi, Varma, Kothapalli, arXiv 2006.13486): its singular values are those of the graph of blocks times
/// sqrt(rows columns).
/// </summary>
/// <param name="Rows">Rows of a block, one or more.</param>
/// <param name="Columns">Columns of a block, one or more.</param>
public readonly record struct BlockExtent(int Rows, int Columns)
{
    /// <summary>Single weights.</summary>
    public static BlockExtent Single { get; } = new(1, 1);

    /// <summary>Whether it is more than one weight.</summary>
    [JsonIgnore]
    public bool IsBlock => Rows * Columns > 1;

    /// <summary>Blocks under each other that cover so many rows; the last may be cut.</summary>
    public int Down(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>Blocks side by side that cover so many columns; the last may be cut.</summary>
    public int Across(int columns) => (columns + Columns - 1) / Columns;

    /// <summary>Reads <c>8x8</c> or <c>16x4</c>, rows by columns.</summary>
    /// <exception cref="InvalidCallException">It is no such text, or a block is larger than 256.</exception>
    public static BlockExtent Parse(string text)
    {
        string[] parts = text.Split('x');
        return parts.Length == 2 && TryExtent(parts[0], out int rows) && TryExtent(parts[1], out int columns)
            ? new BlockExtent(rows, columns)
            : throw new InvalidCallException($"`block` {text}: give rows x columns of 1 to 256 each, for example 8x8.");
    }

    /// <summary>A mask [rows, columns] from one of blocks [down, across].</summary>
    /// <exception cref="ArgumentException">The blocks do not cover it.</exception>
    public Matrix Spread(Matrix blocks, int rows, int columns)
    {
        if (blocks.Rows != Down(rows) || blocks.Columns != Across(columns))
            throw new ArgumentException($"{blocks} of blocks of {this} do not cover {rows} x {columns}.", nameof(blocks));
        Matrix mask = new(rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) mask[i, j] = blocks[i / Rows, j / Columns];
        return mask;
    }

    /// <summary>The sum over each block [down, across].</summary>
    public Matrix Sums(Matrix values)
    {
        Matrix sums = new(Down(values.Rows), Across(values.Columns));
        for (int i = 0; i < values.Rows; i++)
            for (int j = 0; j < values.Columns; j++) sums[i / Rows, j / Columns] += values[i, j];
        return sums;
    }

    /// <summary>For example <c>8x8</c>.</summary>
    public override string ToString() => $"{Rows}x{Columns}";

    private static bool TryExtent(string text, out int extent) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out extent) && extent is >= 1 and <= 256;
}
