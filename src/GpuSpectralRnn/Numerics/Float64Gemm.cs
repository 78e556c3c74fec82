using System.Buffers;

namespace GpuSpectralRnn.Numerics;

/// <summary>A view of doubles: element (i, j) is Data[i RowStride + j ColumnStride]. Swapping the strides transposes.</summary>
internal readonly unsafe struct Float64View(double* data, int rows, int columns, long rowStride, long columnStride = 1)
{
    public readonly double* Data = data;
    public readonly int Rows = rows, Columns = columns;
    public readonly long RowStride = rowStride, ColumnStride = columnStride;

    public Float64View Transposed => new(Data, Columns, Rows, ColumnStride, RowStride);

    public Float64View Window(int row, int column, int rows, int columns) =>
        new(Data + row * RowStride + column * ColumnStride, rows, columns, RowStride, ColumnStride);
}

/// <summary>
/// C += alpha A B in double precision, after Goto and van de Geijn (ACM TOMS 34, 2008): B is packed once per slab of depth into panels as wide as a
/// tile, each thread packs its own rows of A and keeps them in its level-2 cache. The order of summation of an element does not depend on the number
/// of threads.
/// </summary>
internal static unsafe class Float64Gemm
{
    /// <summary>2^-52, the distance from 1 to the next double.</summary>
    public const double Epsilon = 2.220446049250313e-16;

    /// <summary>Terms per slab: a 12-wide panel of B takes 24 KiB, the level-1 cache.</summary>
    private const int Depth = 256;

    /// <summary>Rows of A per task: with <see cref="Depth"/>, 192 KiB of a level-2 cache.</summary>
    private const int RowsPerTask = 96;

    /// <summary>Multiply-adds below which a second thread does not pay.</summary>
    private const long WorthThreads = 1 << 17;

    private static readonly HostParallel Alone = new(1);

    /// <summary>C += alpha A B; C's columns must be adjacent (its column stride 1).</summary>
    public static void Accumulate(HostParallel crew, double alpha, Float64View a, Float64View b, Float64View c)
    {
        if (c.Rows == 0 || c.Columns == 0 || a.Columns == 0) return;
        int panels = (c.Columns + Float64Tile.Width - 1) / Float64Tile.Width;
        int depth = Math.Min(Depth, a.Columns);
        double[] buffer = ArrayPool<double>.Shared.Rent(panels * Float64Tile.Width * depth);
        int tasks = (c.Rows + RowsPerTask - 1) / RowsPerTask;
        HostParallel threads = (long)c.Rows * c.Columns * a.Columns > WorthThreads ? crew : Alone;
        fixed (double* start = buffer)
        {
            double* packed = start;
            for (int k = 0; k < a.Columns; k += depth)
            {
                int terms = Math.Min(depth, a.Columns - k);
                Float64View slabA = a.Window(0, k, a.Rows, terms), slabB = b.Window(k, 0, terms, b.Columns);
                threads.Run(panels, panel => PackColumns(slabB, panel * Float64Tile.Width, packed + (long)panel * Float64Tile.Width * terms));
                threads.Run(tasks, task => MultiplyRows(alpha, slabA, packed, c, task * RowsPerTask, terms));
            }
        }

        ArrayPool<double>.Shared.Return(buffer);
    }

    // Panel [terms, 12] of B's columns from `first` on; columns beyond the edge are zero.
    private static void PackColumns(Float64View b, int first, double* panel)
    {
        int width = Math.Min(Float64Tile.Width, b.Columns - first);
        for (int k = 0; k < b.Rows; k++, panel += Float64Tile.Width)
        {
            double* source = b.Data + k * b.RowStride + first * b.ColumnStride;
            for (int j = 0; j < width; j++) panel[j] = source[j * b.ColumnStride];
            for (int j = width; j < Float64Tile.Width; j++) panel[j] = 0;
        }
    }

    private static void MultiplyRows(double alpha, Float64View a, double* packed, Float64View c, int firstRow, int terms)
    {
        int rows = Math.Min(RowsPerTask, c.Rows - firstRow);
        int quads = (rows + Float64Tile.Height - 1) / Float64Tile.Height;
        double[] quadBuffer = ArrayPool<double>.Shared.Rent(quads * Float64Tile.Height * terms);
        double* edge = stackalloc double[Float64Tile.Height * Float64Tile.Width];
        fixed (double* packedA = quadBuffer)
        {
            for (int q = 0; q < quads; q++)
                PackRows(alpha, a, firstRow + q * Float64Tile.Height, packedA + (long)q * Float64Tile.Height * terms);
            for (int j = 0; j < c.Columns; j += Float64Tile.Width)
            {
                double* panel = packed + (long)j * terms;
                int width = Math.Min(Float64Tile.Width, c.Columns - j);
                for (int i = 0; i < rows; i += Float64Tile.Height)
                {
                    int height = Math.Min(Float64Tile.Height, rows - i);
                    double* quad = packedA + (long)i * terms;
                    double* target = c.Data + (firstRow + i) * c.RowStride + j;
                    if (height == Float64Tile.Height && width == Float64Tile.Width)
                    {
                        Float64Tile.MultiplyAdd(terms, quad, Float64Tile.Height, panel, target, (int)c.RowStride);
                        continue;
                    }

                    new Span<double>(edge, Float64Tile.Height * Float64Tile.Width).Clear();
                    Float64Tile.MultiplyAdd(terms, quad, Float64Tile.Height, panel, edge, Float64Tile.Width);
                    for (int y = 0; y < height; y++)
                        for (int x = 0; x < width; x++) target[y * c.RowStride + x] += edge[y * Float64Tile.Width + x];
                }
            }
        }

        ArrayPool<double>.Shared.Return(quadBuffer);
    }

    // Quad [terms, 4] of alpha times A's rows from `first` on; rows beyond the edge are zero.
    private static void PackRows(double alpha, Float64View a, int first, double* quad)
    {
        int height = Math.Min(Float64Tile.Height, a.Rows - first);
        for (int i = 0; i < Float64Tile.Height; i++)
        {
            double* source = a.Data + (first + i) * a.RowStride;
            for (int k = 0; k < a.Columns; k++) quad[k * Float64Tile.Height + i] = i < height ? alpha * source[k * a.ColumnStride] : 0;
        }
    }
}
