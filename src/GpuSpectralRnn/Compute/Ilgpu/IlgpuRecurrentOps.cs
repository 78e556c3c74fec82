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
    public void Forward(
        RecurrentWorkspace workspace,
        RecurrentWeights weights,
        Tensor input,
        RecurrentState? initial,
        Tensor output,
        RecurrentState? final = null,
        Tensor? lengths = null)
    {
        IlgpuRecurrentWorkspace own = Own(workspace);
        OperandChecks.RecurrentForward(backend, workspace, weights, input, initial, output, final, lengths);
        if (output == own.Outputs && lengths is not null)
            throw new ArgumentException("Beyond a sequence's length outputs are zero and states are not: give the outputs a place of their own.", nameof(output));
        workspace.ProductGradient = null;
        RecurrentShape shape = workspace.Shape;
        Tensor gates = own.Gates ?? output;
        matrix.Multiply(false, true, 1, input, weights.InputWeights, 0, gates, shape.Steps * shape.Batch, shape.GateRows, shape.Inputs);
        Start(own.Start, initial?.Hidden);
        if (own.CellStart is not null) Start(own.CellStart, initial?.Cell);
        RecurrentViews views = Views(own, weights, gates, lengths) with
        {
            Output = backend.View(output),
            InputBias = backend.View(weights.InputBias),
            HiddenBias = backend.View(weights.HiddenBias),
        };
        own.Recurrence.Forward(
            new RecurrentOperands { Walk = own.Walk, Views = views, Arranged = backend.View(own.ArrangedWeights), StartsAtZero = initial is null });
        if (final is null) return;
        backend.Copy(own.End, final.Hidden);
        if (own.CellEnd is not null && final.Cell is not null) backend.Copy(own.CellEnd, final.Cell);
    }

    /// <inheritdoc/>
    public void Backward(
        RecurrentWorkspace workspace,
        RecurrentWeights weights,
        Tensor input,
        RecurrentState? initial,
        Tensor output,
        Tensor outputGradient,
        int gradientFrom,
        RecurrentWeights gradients,
        Tensor? inputGradient,
        RecurrentState? initialGradient,
        Tensor? lengths = null)
    {
        IlgpuRecurrentWorkspace own = Own(workspace);
        OperandChecks.RecurrentBackward(
            backend, workspace, weights, input, initial, output, outputGradient, gradientFrom, gradients, inputGradient, initialGradient, lengths);
        RecurrentShape shape = workspace.Shape;
        (_, int t, int b, int i, int h) = shape;
        Tensor delta = own.Gates ?? outputGradient; // [T, B, G*H], the gradient of the pre-activations from the walk on
        Tensor product = own.Products ?? delta; // [T, B, G*H], that of h W_hh^T
        RecurrentViews views = Views(own, weights, delta, lengths) with
        {
            OutputGradient = backend.View(outputGradient),
            Carry = ViewOrDefault(own.Carry),
            CellCarry = ViewOrDefault(own.CellCarry),
        };
        own.Recurrence.Backward(
            new RecurrentOperands { Walk = own.Walk, Views = views, Arranged = backend.View(own.ArrangedWeights), GradientFrom = gradientFrom });
        workspace.ProductGradient = product;

        matrix.Multiply(true, false, 1, delta, input, 1, gradients.InputWeights, shape.GateRows, i, t * b);
        matrix.Multiply(true, false, 1, product, own.StatesBefore, 1, gradients.HiddenWeights, shape.GateRows, h, t * b);
        if (product == delta)
        {
            matrix.AddColumnSums(delta, gradients.InputBias, gradients.HiddenBias);
        }
        else
        {
            matrix.ColumnSums(delta, 1, gradients.InputBias);
            matrix.ColumnSums(product, 1, gradients.HiddenBias);
        }

        if (inputGradient is not null) matrix.Multiply(false, false, 1, delta, weights.InputWeights, 0, inputGradient, t * b, i, shape.GateRows);
        if (initialGradient is null) return;
        backend.Copy(own.Carry!, initialGradient.Hidden);
        Tensor first = product.Slice(own.Walk.FirstTime);
        matrix.Multiply(false, false, 1, first, weights.HiddenWeights, 1, initialGradient.Hidden, b, h, shape.GateRows);
        if (own.CellCarry is not null && initialGradient.Cell is not null) backend.Copy(own.CellCarry, initialGradient.Cell);
    }

    private IlgpuRecurrentWorkspace Own(RecurrentWorkspace workspace) =>
        OperandChecks.Own<IlgpuRecurrentWorkspace>(backend, workspace, nameof(workspace));

    // What both directions use.
    private RecurrentViews Views(IlgpuRecurrentWorkspace own, RecurrentWeights weights, Tensor gates, Tensor? lengths) => new()
    {
        Gates = backend.View(gates),
        States = backend.View(own.States),
        CellStates = ViewOrDefault(own.CellStates),
        ProductGradient = ViewOrDefault(own.Products),
        Weights = backend.View(weights.HiddenWeights),
        Lengths = backend.View<int>(lengths ?? own.FullLengths),
    };

    private void Start(Tensor slot, Tensor? initial)
    {
        if (initial is null) backend.Fill(slot, 0);
        else backend.Copy(initial, slot);
    }

    private ArrayView<float> ViewOrDefault(Tensor? tensor) => tensor is null ? default : backend.View(tensor);
}
