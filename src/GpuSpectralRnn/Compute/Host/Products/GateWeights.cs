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
    /// Adds A W^T for the part's units to C [rows, gates * units of the part], A [rows, k]; both with their row strides; on the calling thread.
    /// </summary>
    public void AddProduct(StepPart part, float* a, nint aStride, float* c, nint cStride)
    {
        for (int i = 0; i < pieces.Length; i++)
        {
            float* target = Target(c, i, part);
            pieces[i].Multiply(Columns(part), part.Rows, a, aStride, target, cStride, target, cStride);
        }
    }

    /// <summary>
    /// C = A W^T + bias in the same way, for several steps, whose blocks of rows of A and C stand steps.A and steps.C apart: where they are not one
    /// block of rows, each panel serves all of them while it is in the cache. bias [G*H].
    /// </summary>
    public void Multiply(StepPart part, (nint Count, nint A, nint C) steps, float* a, nint aStride, float* c, nint cStride, float* bias)
    {
        for (int i = 0; i < pieces.Length; i++)
            pieces[i].Multiply(Columns(part), steps, part.Rows, a, aStride, Target(c, i, part), cStride, bias + (nint)i * width);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PackedWeights piece in pieces) piece.Dispose();
    }

    private (int From, int To) Columns(StepPart part) => part.HasAllUnits ? (0, width) : part.Units;

    // Where column 0 of piece i would stand.
    private float* Target(float* c, int i, StepPart part) => part.HasAllUnits ? c + (nint)i * width : c + (nint)i * part.UnitCount - part.FirstUnit;
}
