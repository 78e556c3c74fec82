using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Column sums: blocks of rows are summed in single precision and the blocks in turn, so that long sums stay exact to a few roundings.
/// </summary>
internal static unsafe class ColumnSums
{
    private const int BlockRows = 64;

    /// <summary>sums[j] = factor (sum_i x[i, j]) + beta sums[j]; x [rows, columns], its rows stride numbers apart.</summary>
    public static void Run(HostParallel threads, float* x, long rows, long columns, long stride, float factor, float beta, float* sums) =>
        threads.Split(columns, 64, rows * columns, (_, from, to) =>
            Elementwise.Run(new Column(x, rows, stride, factor, beta, sums), (nint)from, (nint)to));

    private readonly struct Column(float* x, long rows, long stride, float factor, float beta, float* sums) : IElementwise
    {
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector total = TSimd.Broadcast(0);
            float* source = x + index;
            for (long first = 0; first < rows; first += BlockRows)
            {
                TVector block = TSimd.Broadcast(0);
                for (long row = Math.Min(BlockRows, rows - first); row > 0; row--, source += stride) block = TSimd.Add(block, lanes.Load(source));
                total = TSimd.Add(total, block);
            }

            total = TSimd.Multiply(total, TSimd.Broadcast(factor));
            if (beta != 0) total = TSimd.MultiplyAdd(TSimd.Broadcast(beta), lanes.Load(sums + index), total);
            lanes.Store(total, sums + index);
        }
    }
}
