using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The packed weights W [G*H, k] of a layer's gates, with biases, and how the pre-activations that they make stand in memory. Either each part has its
/// units of all gates, side by side in a row, [steps, rows, G, units], whose end may be padded to whole vectors: panels hold columns of several gates, so
/// that no gate leaves one of its own half empty. Or the gates stand one behind the other, [G, steps, rows, units], so that a function runs over many
/// rows at a time: faster for few units, and for those that fill their panels.
/// </summary>
internal sealed unsafe class PartWeights : IDisposable
{
    // Vectors from which a row of one gate is long enough for a function to run over it alone; with training, units from which that costs less than
    // to copy the gates to where they are kept.
    private const int LongRow = 9;
    private const int UnitsWorthKeepingInPlace = 64;

    private readonly int gates, hidden;
    private readonly bool isByGate;
    private readonly PackedWeights weights;
    private readonly ColumnGroups[] pieces;
    private readonly ThreadScratch biases; // of each piece

    /// <summary>Takes the memory for parts that share the units, or one with all; rows are padded where they are not kept.</summary>
    public PartWeights(int k, int gates, int hidden, bool isByGate, bool isPadded, StepPart[] parts)
    {
        (this.gates, this.hidden, this.isByGate) = (gates, hidden, isByGate);
        pieces = isByGate
            ? [.. Enumerable.Range(0, gates).Select(gate => new ColumnGroups(1, gate * hidden, hidden, hidden))]
            : [.. parts.Select(part => new ColumnGroups(gates, part.FirstUnit, hidden, part.UnitCount))];
        weights = new PackedWeights(k, new ColumnGroups(gates, 0, hidden, hidden), pieces, isPadded);
        biases = new ThreadScratch(pieces.Length, GemmKernel.WholeVectors(pieces.Max(piece => piece.Columns)));
        for (int i = 0; i < pieces.Length; i++) Bias(i).Clear();
    }

    /// <summary>Whether gates of a batch that is not shared out by units had better stand one behind the other.</summary>
    public static bool IsFasterByGate(int gates, int hidden, bool isTraining) =>
        gates == 1 || (isTraining ? hidden < UnitsWorthKeepingInPlace : hidden < LongRow * GemmKernel.StripWidth || hidden % GemmKernel.PanelWidth == 0);

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => weights.IsDisposed;

    /// <summary>Packs W, and a bias or the sum of two [G*H]; without one it stays zero.</summary>
    public void Pack(HostParallel threads, float* w, float* bias, float* otherBias)
    {
        weights.Pack(threads, w, isTransposed: true);
        for (int i = 0; bias != null && i < pieces.Length; i++)
        {
            float* target = biases.Of(i);
            for (int j = 0, end = pieces[i].Columns; j < end;)
            {
                (int source, int count) = pieces[i].RunAt(j, end);
                for (int unit = 0; unit < count; unit++) target[j + unit] = bias[source + unit] + (otherBias == null ? 0 : otherBias[source + unit]);
                j += count;
            }
        }
    }

    /// <summary>C += A W^T for the part's units, A [rows, k] with its row stride, C of one step; on the calling thread.</summary>
    public void AddProduct(StepPart part, float* a, nint aStride, float* c, nint gateStride)
    {
        for (int i = First(part), last = Last(part); i <= last; i++, c += gateStride)
        {
            PackedColumns piece = weights[i];
            piece.Multiply(part.Rows, a, aStride, c, piece.Columns, c, piece.Columns);
        }
    }

    /// <summary>
    /// C = A W^T + bias in the same way, for several steps, whose blocks of rows of A and C stand steps.A and steps.C apart: where they are not one
    /// block of rows, each panel serves all of them while it is in the cache.
    /// </summary>
    public void Multiply(StepPart part, (nint Count, nint A, nint C) steps, float* a, nint aStride, float* c, nint gateStride)
    {
        for (int i = First(part), last = Last(part); i <= last; i++, c += gateStride)
        {
            PackedColumns piece = weights[i];
            piece.Multiply(steps, part.Rows, a, aStride, c, piece.Columns, biases.Of(i));
        }
    }

    /// <summary>C = bias in every row, in the same way.</summary>
    public void Repeat(StepPart part, float* c, nint gateStride)
    {
        for (int i = First(part), last = Last(part); i <= last; i++, c += gateStride)
        {
            Span<float> bias = Bias(i);
            for (nint row = 0; row < part.Rows; row++) bias.CopyTo(new Span<float>(c + row * bias.Length, bias.Length));
        }
    }

    /// <summary>Numbers from one row of C to the next.</summary>
    public nint RowStride(StepPart part) => weights[First(part)].Columns;

    /// <inheritdoc/>
    public void Dispose()
    {
        weights.Dispose();
        biases.Dispose();
    }

    private int First(StepPart part) => isByGate ? 0 : part.Share;

    private int Last(StepPart part) => isByGate ? gates - 1 : First(part);

    private Span<float> Bias(int piece) => new(biases.Of(piece), weights[piece].Columns);
}
