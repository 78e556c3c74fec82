using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Blocks of device memory of which the workspaces of one recurrent layer are windows, whatever their shapes; G is the cell's number of gates.
/// </summary>
internal sealed class IlgpuRecurrentMemory : RecurrentMemory, IKept
{
    private readonly List<Tensor> owned = [];
    private readonly IlgpuBackend backend;

    /// <summary>Takes the memory.</summary>
    /// <param name="backend">Whose.</param>
    /// <param name="kernels">The cell's kernels.</param>
    /// <param name="cell">The cell.</param>
    /// <param name="hidden">H.</param>
    /// <param name="cells">The most steps times sequences.</param>
    /// <param name="batch">The most sequences.</param>
    /// <param name="isTraining">Whether any workspace is for training.</param>
    public IlgpuRecurrentMemory(IlgpuBackend backend, RecurrentCell kernels, CellKind cell, int hidden, long cells, int batch, bool isTraining)
    {
        this.backend = backend;
        Kernels = kernels;
        CellSpec spec = CellSpec.From(cell);
        long rows = (long)spec.Gates * hidden;
        try
        {
            Arranged = Own(kernels.ArrangedCount(batch, hidden));
            States = Own((cells + batch) * hidden);
            if (spec.Gates > 1) Gates = Own(cells * rows);
            if (spec.HasCellState) CellStates = Own((cells + batch) * hidden);
            if (spec.ResetsProduct) Products = Own(isTraining ? cells * rows : 1);
            if (spec.ResetsState) Resets = Own(ResetParts.Count(cells, batch, hidden, isTraining));
            if (!isTraining) return;
            Carry = Own((long)batch * hidden);
            if (spec.HasCellState) CellCarry = Own((long)batch * hidden);
            if (spec.HasPeepholes) PeepholeSums = Own(3L * batch * hidden);
        }
        catch
        {
            Dispose(); // what was taken before the device refused
            throw;
        }
    }

    /// <inheritdoc/>
    public IBackend Backend => backend;

    /// <inheritdoc/>
    public bool IsDisposed { get; private set; }

    /// <summary>The kernels that it was made for.</summary>
    public RecurrentCell Kernels { get; }

    /// <summary>The weights as the cell's kernels read them.</summary>
    public Tensor Arranged { get; }

    /// <summary>h before and after each step, for [T + 1, B, H].</summary>
    public Tensor States { get; }

    /// <summary>c before and after each step, for [T + 1, B, H] (LSTM).</summary>
    public Tensor? CellStates { get; }

    /// <summary>The gates, and backward their gradients, for [T, B, G*H] (LSTM and GRU).</summary>
    public Tensor? Gates { get; }

    /// <summary>Recurrent products, and backward their gradients, for [T, B, 3H] (GRU; one element without training).</summary>
    public Tensor? Products { get; }

    /// <summary><see cref="ResetParts"/> (GRU that resets before the product).</summary>
    public Tensor? Resets { get; }

    /// <summary>The part of dL/dh that passes a step by, for [B, H]; null without training.</summary>
    public Tensor? Carry { get; }

    /// <summary>dL/dc, for [B, H] (LSTM); null without training.</summary>
    public Tensor? CellCarry { get; }

    /// <summary>The peepholes' gradients, for [B, 3H]; null without training.</summary>
    public Tensor? PeepholeSums { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        IsDisposed = true;
        foreach (Tensor tensor in owned) tensor.Dispose();
    }

    private Tensor Own(long count)
    {
        Tensor tensor = backend.Allocate(new Shape(Extents.Product("A recurrent layer", "make the batch or the sequences smaller", count)));
        owned.Add(tensor);
        return tensor;
    }
}
