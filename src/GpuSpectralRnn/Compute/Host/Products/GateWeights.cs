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
        for (int i = 0; i < pieces.Length; i++) pieces[i] = new PackedWeights(k, width, pieces.Length);
    }

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => pieces[0].IsDisposed;

    /// <summary>Packs W.</summary>
    public void Pack(HostParallel threads, float* w) => PackedWeights.Pack(threads, pieces, w, isTransposed: true);

    /// <summary>
    /// Adds A W^T for the part's units to C, A [rows, k] with its row stride; on the calling thread. C has [rows, units of the part] for each gate,
    /// gateStride apart; unless the weights are packed gate by gate, the gates of a row stand together.
    /// </summary>
    public void AddProduct(StepPart part, float* a, nint aStride, float* c, nint gateStride)
    {
        for (int i = 0; i < pieces.Length; i++)
        {
            float* target = c + i * gateStride - part.FirstUnit;
            pieces[i].Multiply(Columns(part), part.Rows, a, aStride, target, Stride(part), target, Stride(part));
        }
    }

    /// <summary>
    /// C = A W^T + bias in the same way, for several steps, whose blocks of rows of A and C stand steps.A and steps.C apart: where they are not one
    /// block of rows, each panel serves all of them while it is in the cache. bias [G*H].
    /// </summary>
    public void Multiply(StepPart part, (nint Count, nint A, nint C) steps, float* a, nint aStride, float* c, nint gateStride, float* bias)
    {
        for (int i = 0; i < pieces.Length; i++)
            pieces[i].Multiply(Columns(part), steps, part.Rows, a, aStride, c + i * gateStride - part.FirstUnit, Stride(part), bias + (nint)i * width);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PackedWeights piece in pieces) piece.Dispose();
    }

    private (int From, int To) Columns(StepPart part) => part.HasAllUnits ? (0, width) : part.Units;

    private nint Stride(StepPart part) => part.HasAllUnits ? width : part.UnitCount;
}
