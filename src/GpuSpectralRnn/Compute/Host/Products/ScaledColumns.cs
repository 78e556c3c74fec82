using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>One row's numbers times one each: target = source scales; target may be source.</summary>
internal static unsafe class ScaledColumns
{
    /// <summary>target[i, j] = source[i, j] scales[j] for j below columns; the rows lie stride numbers apart.</summary>
    public static void Run(HostParallel threads, float* source, float* scales, float* target, long rows, int columns, long stride) =>
        threads.Split(rows, 16, rows * columns, (_, first, last) =>
        {
            for (long i = first; i < last; i++)
                Elementwise.Run(new ElementProduct(source + i * stride, scales, target + i * stride), 0, columns);
        });
}

/// <summary>
/// Inner products of the columns of two matrices: blocks of rows are summed in single precision and the blocks in turn, so that long sums stay exact to
/// a few roundings.
/// </summary>
internal static unsafe class ColumnDots
{
    private const int BlockRows = 64;

    /// <summary>dots[j] += sum_i a[i, j] b[i, j] for j below columns; the rows of both lie stride numbers apart.</summary>
    public static void Run(HostParallel threads, float* a, float* b, float* dots, long rows, int columns, long stride) =>
        threads.Split(columns, 64, rows * columns, (_, from, to) => Elementwise.Run(new Column(a, b, dots, rows, stride), (nint)from, (nint)to));

    private readonly struct Column(float* a, float* b, float* dots, long rows, long stride) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector total = TSimd.Broadcast(0);
            float* left = a + index, right = b + index;
            for (long first = 0; first < rows; first += BlockRows)
            {
                TVector block = TSimd.Broadcast(0);
                for (long row = Math.Min(BlockRows, rows - first); row > 0; row--, left += stride, right += stride)
                    block = TSimd.MultiplyAdd(lanes.Load(left), lanes.Load(right), block);
                total = TSimd.Add(total, block);
            }

            lanes.Store(TSimd.Add(lanes.Load(dots + index), total), dots + index);
        }
    }
}
