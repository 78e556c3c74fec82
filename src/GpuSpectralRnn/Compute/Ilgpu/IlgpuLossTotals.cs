using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>An account of losses in device memory.</summary>
internal sealed class IlgpuLossTotals : LossTotals
{
    private readonly IlgpuBackend backend;
    private readonly MemoryBuffer sums;
    private readonly MemoryBuffer counts;
    private bool isDisposed;

    /// <summary>Makes an empty account.</summary>
    public IlgpuLossTotals(IlgpuBackend backend)
    {
        this.backend = backend;
        sums = backend.AllocateBuffer(LossTally.Sums, sizeof(float), "loss totals");
        counts = backend.AllocateBuffer(LossTally.Counts, sizeof(long), "loss totals");
        Reset();
    }

    /// <summary>[high, low] of the compensated loss.</summary>
    public ArrayView<float> Sums => sums.AsArrayView<float>(0, LossTally.Sums);

    /// <summary>[correct, rows, calls, first bad call].</summary>
    public ArrayView<long> Counts => counts.AsArrayView<long>(0, LossTally.Counts);

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
        float[] loss = new float[LossTally.Sums];
        long[] count = new long[LossTally.Counts];
        Sums.CopyToCPU(backend.Stream, loss.AsSpan());
        Counts.CopyToCPU(backend.Stream, count.AsSpan());
        return new LossSums((double)loss[0] + loss[1], count[0], count[1], count[2], count[3]);
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        Sums.CopyFromCPU<float, ArrayView<float>>(backend.Stream, [0, 0]);
        Counts.CopyFromCPU<long, ArrayView<long>>(backend.Stream, [0, 0, 0, -1]);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        sums.Dispose();
        counts.Dispose();
    }
}
