using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Rows of a matrix that belong to units, w[block stride + first + unit, i], times a number for each unit, in place.</summary>
internal static unsafe class ScaledRows
{
    /// <summary>Scales the rows of every unit in all blocks.</summary>
    public static void Run(HostParallel threads, float* weights, float* scales, RowGroups rows, (int Units, int Columns) extents)
    {
        (int blocks, int first, int stride) = (rows.Blocks, rows.First, rows.Stride);
        (int units, int columns) = extents;
        threads.Split((long)blocks * units, 16, (long)blocks * units * columns, (_, from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                (long block, long unit) = Math.DivRem(row, units);
                Elementwise.Run(new Scale(weights + (((block * stride) + first + unit) * columns), scales[unit]), 0, columns);
            }
        });
    }
}

/// <summary>Sums of the squares of the rows that belong to each unit.</summary>
internal static unsafe class RowSquares
{
    /// <summary>squares[unit] += sum over blocks and columns of the unit's squared weights.</summary>
    public static void Run(HostParallel threads, float* weights, float* squares, RowGroups rows, (int Units, int Columns) extents)
    {
        (int blocks, int first, int stride) = (rows.Blocks, rows.First, rows.Stride);
        (int units, int columns) = extents;
        threads.Split(units, 16, (long)blocks * units * columns, (_, from, to) =>
        {
            for (long unit = from; unit < to; unit++)
            {
                for (int block = 0; block < blocks; block++)
                {
                    float* row = weights + ((((long)block * stride) + first + unit) * columns);
                    squares[unit] += RowDot.Run(row, row, columns);
                }
            }
        });
    }
}
