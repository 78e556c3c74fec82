using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Recurrent layers as ILGPU kernels: one product projects the inputs of all steps, then a cell takes the steps (<see cref="RecurrentCells"/>: all of
/// them in one launch, or one launch a step); backward, the cell again, then one product for each weight matrix over all steps.
/// </summary>
internal sealed class IlgpuRecurrentOps(IlgpuBackend backend, IlgpuMatrixOps matrix) : IRecurrentOps
{
    private readonly RecurrentCells cells = new(backend, matrix.Products);

    /// <inheritdoc/>
    public RecurrentMemory Reserve(CellKind cell, int hidden, long cells, int batch, bool isTraining)
    {
        RecurrentShape smallest = new(cell, 1, 1, 1, hidden);
        OperandChecks.RecurrentShape(smallest);
        return new IlgpuRecurrentMemory(backend, this.cells.For(smallest), cell, hidden, cells, batch, isTraining);
    }

    /// <inheritdoc/>
    public RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining, RecurrentMemory? memory = null)
    {
        OperandChecks.RecurrentShape(shape);
        return memory is null
            ? new IlgpuRecurrentWorkspace(backend, cells.For(shape), shape, isTraining)
            : new IlgpuRecurrentWorkspace(backend, OperandChecks.Own<IlgpuRecurrentMemory>(backend, memory, nameof(memory)), shape, isTraining);
    }

    /// <inheritdoc/>
    public void Forward(RecurrentForward o)
    {
        IlgpuRecurrentWorkspace own = Own(o.Workspace);
        OperandChecks.RecurrentForward(backend, o);
        if (o.Output == own.Outputs && o.Lengths is not null)
            throw new ArgumentException(
                "Beyond a sequence's length outputs are zero and states are not: give the outputs a place of their own.", nameof(o.Output));
        o.Workspace.ProductGradient = null;
        RecurrentShape shape = o.Workspace.Shape;
        Tensor gates = own.Gates ?? o.Output;
        matrix.Gemm(new(false, true, 1, o.Input, o.Weights.InputWeights, 0, gates));
        Start(own.Start, o.Initial?.Hidden);
        if (own.CellStart is not null) Start(own.CellStart, o.Initial?.Cell);
        RecurrentViews views = Views(own, o.Weights, gates, o.Lengths) with
        {
            Output = backend.View(o.Output),
            InputBias = backend.View(o.Weights.InputBias),
            HiddenBias = backend.View(o.Weights.HiddenBias),
        };
        own.Recurrence.Forward(
            new RecurrentOperands { Walk = own.Walk, Views = views, Arranged = backend.View(own.ArrangedWeights), StartsAtZero = o.Initial is null });
        if (o.Final is null) return;
        backend.Copy(own.End, o.Final.Hidden);
        if (own.CellEnd is not null && o.Final.Cell is not null) backend.Copy(own.CellEnd, o.Final.Cell);
    }

    /// <inheritdoc/>
    public void Backward(RecurrentBackward o)
    {
        IlgpuRecurrentWorkspace own = Own(o.Workspace);
        OperandChecks.RecurrentBackward(backend, o);
        RecurrentShape shape = o.Workspace.Shape;
        (_, int t, int b, int i, int h) = shape;
        Tensor delta = own.Gates ?? o.OutputGradient; // [T, B, G*H], the gradient of the pre-activations from the walk on
        Tensor product = own.Products ?? delta; // [T, B, G*H], that of h W_hh^T
        RecurrentViews views = Views(own, o.Weights, delta, o.Lengths) with
        {
            OutputGradient = backend.View(o.OutputGradient),
            Carry = ViewOrDefault(own.Carry),
            CellCarry = ViewOrDefault(own.CellCarry),
            PeepholeSums = ViewOrDefault(own.PeepholeSums),
        };
        own.Recurrence.Backward(
            new RecurrentOperands { Walk = own.Walk, Views = views, Arranged = backend.View(own.ArrangedWeights), GradientFrom = o.GradientFrom });
        o.Workspace.ProductGradient = product;

        matrix.Gemm(new(true, false, 1, delta, o.Input, 1, o.Gradients.InputWeights));
        if (own.ResetStates is null)
        {
            matrix.Gemm(new(true, false, 1, product, own.StatesBefore, 1, o.Gradients.HiddenWeights));
        }
        else
        {
            matrix.Gemm(new(true, false, 1, own.GateGradients!, own.StatesBefore, 1, o.Gradients.HiddenWeights.View(0, 2 * h, h)));
            matrix.Gemm(new(true, false, 1, own.FreshGradients!, own.ResetStates, 1, o.Gradients.HiddenWeights.View(2L * h * h, h, h)));
        }

        if (product == delta)
        {
            matrix.ColumnSums(new(delta, 1, o.Gradients.InputBias), o.Gradients.HiddenBias);
        }
        else
        {
            matrix.ColumnSums(new(delta, 1, o.Gradients.InputBias));
            matrix.ColumnSums(new(product, 1, o.Gradients.HiddenBias));
        }

        if (own.PeepholeSums is not null) matrix.ColumnSums(new(own.PeepholeSums, 1, o.Gradients.Peepholes!));
        if (o.InputGradient is not null) matrix.Gemm(new(false, false, 1, delta, o.Weights.InputWeights, 0, o.InputGradient));
        if (o.InitialGradient is null) return;
        backend.Copy(own.Carry!, o.InitialGradient.Hidden);
        if (own.ResetStates is null)
        {
            Tensor first = product.Slice(own.Walk.FirstTime);
            matrix.Gemm(new(false, false, 1, first, o.Weights.HiddenWeights, 1, o.InitialGradient.Hidden));
        }

        if (own.CellCarry is not null && o.InitialGradient.Cell is not null) backend.Copy(own.CellCarry, o.InitialGradient.Cell);
    }

    private IlgpuRecurrentWorkspace Own(RecurrentWorkspace workspace) =>
        OperandChecks.Own<IlgpuRecurrentWorkspace>(backend, workspace, nameof(workspace));

    // What both directions use.
    private RecurrentViews Views(IlgpuRecurrentWorkspace own, RecurrentWeights weights, Tensor gates, Tensor? lengths) => new()
    {
        Gates = backend.View(gates),
        States = backend.View(own.States),
        CellStates = ViewOrDefault(own.CellStates),
        ProductGradient = ViewOrDefault(own.Products ?? own.Resets),
        Weights = backend.View(weights.HiddenWeights),
        Peepholes = ViewOrDefault(weights.Peepholes),
        Lengths = backend.View<int>(lengths ?? own.FullLengths),
    };

    private void Start(Tensor slot, Tensor? initial)
    {
        if (initial is null) backend.Fill(slot, 0);
        else backend.Copy(initial, slot);
    }

    private ArrayView<float> ViewOrDefault(Tensor? tensor) => tensor is null ? default : backend.View(tensor);
}
