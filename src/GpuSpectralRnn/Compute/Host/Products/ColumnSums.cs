using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Column sums: sums[j] = factor (sum_i x[i, j]) + beta sums[j]. Blocks of 64 rows are summed in single precision and then the blocks, which bounds
/// the rounding error of long sums.
/// </summary>
/// <param name="x">[rows, columns], its rows stride numbers apart.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="stride">From a row to the next.</param>
/// <param name="factor">Factor on the sum.</param>
/// <param name="beta">Factor on the old sums; with 0 they are not read.</param>
/// <param name="sums">[columns].</param>
internal readonly unsafe struct ColumnSums(float* x, long rows, long stride, float factor, float beta, float* sums) : IElementwise
{
    private const int BlockRows = 64;

    /// <summary>Sums columns 0..columns-1, shared out among the threads.</summary>
    public void Run(HostParallel threads, long columns)
    {
        ColumnSums body = this;
        threads.Split(columns, 64, rows * columns, (_, from, to) => Elementwise.Run(body, (nint)from, (nint)to));
    }

    /// <inheritdoc/>
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
