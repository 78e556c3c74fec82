using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The packed weights W [G*H, k] of a layer's gates: as one matrix where a thread computes all units of its rows, or gate by gate, so that threads can
/// share out the units of all rows.
/// </summary>
internal sealed unsafe class GateWeights : IDisposable
{
    private readonly PackedWeights[] pieces;
    private readonly int k, width;

    /// <summary>Takes the memory for W^T [k, gates units].</summary>
    public GateWeights(int k, int gates, int units, bool isByGate)
    {
        this.k = k;
        width = isByGate ? units : gates * units;
        pieces = new PackedWeights[isByGate ? gates : 1];
        for (int i = 0; i < pieces.Length; i++) pieces[i] = new PackedWeights(k, width);
    }

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => pieces[0].IsDisposed;

    /// <summary>Packs W.</summary>
    public void Pack(HostParallel threads, float* w)
    {
        for (int i = 0; i < pieces.Length; i++) pieces[i].Pack(threads, w + (long)i * width * k, isTransposed: true);
    }

    /// <summary>
    /// The gates of the part's units: C [rows, G*H] = A W^T + add for A [rows, k] with the row stride aStride; on the calling thread.
    /// </summary>
    public void Multiply(StepPart part, float* a, nint aStride, float* c, nint cStride, float* add, nint addStride)
    {
        for (int i = 0; i < pieces.Length; i++)
        {
            nint first = (nint)i * width;
            pieces[i].Multiply(Columns(part), part.Rows, a, aStride, c + first, cStride, add == null ? null : add + first, addStride);
        }
    }

    /// <summary>
    /// The same for several steps, whose blocks of rows of A and C stand steps.A and steps.C apart: where they are not one block of rows, each panel
    /// serves all of them while it is in the cache. add [G*H] is that of every row.
    /// </summary>
    public void Multiply(StepPart part, (nint Count, nint A, nint C) steps, float* a, nint aStride, float* c, nint cStride, float* add)
    {
        for (int i = 0; i < pieces.Length; i++)
        {
            nint first = (nint)i * width;
            pieces[i].Multiply(Columns(part), steps, part.Rows, a, aStride, c + first, cStride, add + first);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PackedWeights piece in pieces) piece.Dispose();
    }

    private (int From, int To) Columns(StepPart part) => part.HasAllUnits ? (0, width) : part.Units;
}
