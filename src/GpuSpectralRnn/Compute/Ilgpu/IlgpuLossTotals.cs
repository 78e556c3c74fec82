using System.Runtime.InteropServices;
using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>An account of losses in device memory.</summary>
internal sealed class IlgpuLossTotals : LossTotals
{
    private readonly IlgpuBackend backend;
    private readonly MemoryBuffer memory; // the counts, then the sums: one copy reads or sets both
    private readonly long[] copy = new long[LossTally.Counts + 1];
    private bool isDisposed;

    /// <summary>Makes an empty account.</summary>
    public IlgpuLossTotals(IlgpuBackend backend)
    {
        this.backend = backend;
        memory = backend.AllocateBuffer(copy.Length, sizeof(long), "loss totals");
        Reset();
    }

    private static ReadOnlySpan<long> Empty => [0, 0, 0, -1, 0];

    private ArrayView<long> Whole => memory.AsArrayView<long>(0, copy.Length);

    /// <summary>[high, low] of the compensated loss.</summary>
    public ArrayView<float> Sums => Whole.SubView(LossTally.Counts, 1).Cast<float>();

    /// <summary>[correct, rows, calls, first bad call].</summary>
    public ArrayView<long> Counts => memory.AsArrayView<long>(0, LossTally.Counts);

    /// <summary>The account as one of <paramref name="backend"/>, alive.</summary>
    public static IlgpuLossTotals Of(IlgpuBackend backend, LossTotals totals)
    {
        if (totals is not IlgpuLossTotals own || own.backend != backend)
            throw new InvalidOperationException($"These totals were made by another backend, not by {backend.Device.Id}; make them there.");
        ObjectDisposedException.ThrowIf(own.isDisposed, own);
        return own;
    }

    /// <inheritdoc/>
    public override LossSums Read()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        Whole.CopyToCPU(backend.Stream, copy.AsSpan());
        ReadOnlySpan<float> loss = MemoryMarshal.Cast<long, float>(copy.AsSpan(LossTally.Counts));
        return new LossSums((double)loss[0] + loss[1], copy[0], copy[1], copy[2], copy[3]);
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        backend.Upload(backend.Stream, Empty, Whole);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        memory.Dispose();
    }
}
