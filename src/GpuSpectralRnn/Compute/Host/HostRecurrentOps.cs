namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Recurrent layers on the processor. The rows of the batch are shared out over the threads, and each thread runs all steps of its rows without
/// waiting for the others.
/// </summary>
internal sealed unsafe class HostRecurrentOps(HostBackend backend, HostThreads threads, Gemm gemm) : IRecurrentOps
{
    /// <inheritdoc/>
    public RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining, RecurrentMemory? memory = null)
    {
        OperandChecks.RecurrentShape(shape);
        return new HostRecurrentWorkspace(shape, isTraining, backend, threads);
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
        HostRecurrentWorkspace own = Own(workspace);
        OperandChecks.RecurrentForward(backend, workspace, weights, input, initial, output, final, lengths);
        workspace.ProductGradient = null;
        RecurrentShape shape = workspace.Shape;
        RecurrentPass pass = new(backend, shape, input, initial, output, final, lengths);
        Pack(backend.Address(weights.InputWeights), isTransposed: true, shape.Inputs, shape.GateRows, own.Input);
        Pack(backend.Address(weights.HiddenWeights), isTransposed: true, shape.Hidden, shape.GateRows, own.Hidden);
        float* inputBias = backend.Address(weights.InputBias);
        float* hiddenBias = backend.Address(weights.HiddenBias);
        for (int j = 0; j < shape.GateRows; j++)
        {
            own.Bias[j] = shape.Cell == CellKind.Gru ? inputBias[j] : inputBias[j] + hiddenBias[j];
            own.HiddenBias[j] = hiddenBias[j];
        }

        threads.Split(shape.Batch, RowUnit(shape.Batch), Work(shape), (_, from, to) =>
        {
            switch (shape.Cell)
            {
                case CellKind.Lstm:
                    LstmLayer.Forward(pass, own, from, to);
                    break;
                case CellKind.Gru:
                    GruLayer.Forward(pass, own, from, to);
                    break;
                default:
                    ElmanLayer.Forward(pass, own, from, to);
                    break;
            }
        });
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
        HostRecurrentWorkspace own = Own(workspace);
        OperandChecks.RecurrentBackward(
            backend, workspace, weights, input, initial, output, outputGradient, gradientFrom, gradients, inputGradient, initialGradient, lengths);
        RecurrentShape shape = workspace.Shape;
        RecurrentPass pass = new(backend, shape, input, initial, output, null, lengths);
        Pack(backend.Address(weights.HiddenWeights), isTransposed: false, shape.GateRows, shape.Hidden, own.Back);
        float* given = backend.Address(outputGradient); // [T, B, H]
        float* first = backend.AddressOrNull(initialGradient?.Hidden); // [B, H]

        // The state before a reverse sequence's first step is the initial one, wherever the sequence begins.
        bool startsInside = lengths is not null && shape.IsReverse && initial is not null;
        if (startsInside) pass.FillPadding(pass.Output, 0, shape.Batch, pass.InitialHidden);
        threads.Split(shape.Batch, RowUnit(shape.Batch), Work(shape), (_, from, to) =>
        {
            switch (shape.Cell)
            {
                case CellKind.Lstm:
                    LstmLayer.Backward(pass, own, given, gradientFrom, initialGradient is not null, from, to);
                    break;
                case CellKind.Gru:
                    GruLayer.Backward(pass, own, given, gradientFrom, initialGradient is not null, from, to);
                    break;
                default:
                    ElmanLayer.Backward(pass, own, given, gradientFrom, first, from, to);
                    break;
            }
        });
        Tensor delta = own.Gates ?? outputGradient; // of the inputs' product, [T, B, G*H]
        workspace.ProductGradient = own.Products ?? delta;
        AddGradients(own, pass, delta, gradients);
        if (startsInside) pass.FillPadding(pass.Output, 0, shape.Batch, null);
        if (first != null && own.Gates is not null) Copy(own.Carry, first, (long)shape.Batch * shape.Hidden);
        if (initialGradient?.Cell is { } cell) Copy(own.CellCarry, backend.Address(cell), (long)shape.Batch * shape.Hidden);
        if (inputGradient is null) return;
        float* inputWeights = backend.Address(weights.InputWeights); // [G*H, I]
        gemm.Run(
            shape.Steps * shape.Batch, shape.Inputs, shape.GateRows, 1, backend.Address(delta), false, inputWeights, false, 0, backend.Address(inputGradient));
    }

    private static void Copy(float* source, float* destination, long count) =>
        Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float));

    private HostRecurrentWorkspace Own(RecurrentWorkspace workspace) =>
        OperandChecks.Own<HostRecurrentWorkspace>(backend, workspace, nameof(workspace));

    private static long Work(RecurrentShape shape) => (long)shape.Steps * shape.Batch * shape.GateRows * (shape.Hidden + shape.Inputs);

    // Whole tiles per thread, smaller ones where the batch is too small for that: of 20 rows two threads take 10 each.
    private long RowUnit(int batch) => batch >= 16 * threads.Count ? 8 : batch >= 8 * threads.Count ? 2 : 1;

    // op(W) [k, columns] in panels; W is [columns, k] where transposed.
    private void Pack(float* w, bool isTransposed, int k, int columns, float* panels) =>
        threads.Split(columns, GemmKernel.PanelWidth, (long)k * columns, (_, from, to) =>
        {
            int stride = isTransposed ? k : columns;
            float* start = isTransposed ? w + from * stride : w + from;
            GemmPacking.PackPanels(start, stride, isTransposed, k, (nint)(to - from), 1, panels + from * k, (nint)k * GemmKernel.PanelWidth);
        });

    private void AddGradients(HostRecurrentWorkspace own, RecurrentPass pass, Tensor delta, RecurrentWeights gradients)
    {
        float* inputWeights = backend.Address(gradients.InputWeights);
        float* hiddenWeights = backend.Address(gradients.HiddenWeights);
        float* inputBias = backend.Address(gradients.InputBias);
        float* hiddenBias = backend.Address(gradients.HiddenBias);
        if (own.InputGradient is null)
        {
            own.HiddenGradient!.Add(pass, backend.Address(delta), inputWeights, hiddenWeights, inputBias, hiddenBias);
            return;
        }

        own.HiddenGradient!.Add(pass, backend.Address(own.Products!), null, hiddenWeights, hiddenBias, null);
        own.InputGradient.Add(pass, backend.Address(delta), inputWeights, null, inputBias, null);
    }
}
