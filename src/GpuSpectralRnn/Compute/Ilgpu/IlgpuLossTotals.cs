using System.Runtime.InteropServices;
using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>An account of losses in device memory.</summary>
internal sealed class IlgpuLossTotals : LossTotals, IKept
{
    private readonly IlgpuBackend backend;
    private readonly MemoryBuffer memory; // the counts, then the sums: one copy reads or sets both
    private readonly long[] copy = new long[LossAccumulator.Counts + 1];

    /// <summary>Makes an empty account.</summary>
    public IlgpuLossTotals(IlgpuBackend backend)
    {
        this.backend = backend;
        memory = backend.AllocateBuffer(copy.Length, sizeof(long), "loss totals");
        try
        {
            Reset();
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private static ReadOnlySpan<long> Empty => [0, 0, 0, -1, 0];

    private ArrayView<long> Whole => memory.AsArrayView<long>(0, copy.Length);

    /// <summary>The totals as kernels take them.</summary>
    public LossTotalsViews Views => new()
    {
        Sums = Whole.SubView(LossAccumulator.Counts, 1).Cast<float>(),
        Counts = memory.AsArrayView<long>(0, LossAccumulator.Counts),
    };

    /// <inheritdoc/>
    public IBackend Backend => backend;

    /// <inheritdoc/>
    public bool IsDisposed { get; private set; }

    /// <inheritdoc/>
    public override LossSums Read()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        Whole.CopyToCPU(backend.Stream, copy.AsSpan());
        ReadOnlySpan<float> loss = MemoryMarshal.Cast<long, float>(copy.AsSpan(LossAccumulator.Counts));
        return new LossSums((double)loss[0] + loss[1], copy[0], copy[1], copy[2], copy[3]);
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        backend.Upload(backend.Stream, Empty, Whole);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (IsDisposed) return;
        IsDisposed = true;
        memory.Dispose();
    }
}
