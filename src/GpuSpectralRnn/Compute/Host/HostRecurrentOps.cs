namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Recurrent layers on the processor. The rows of the batch are shared out over the threads, and each thread runs all steps of its rows without
/// waiting for the others.
/// </summary>
internal sealed unsafe class HostRecurrentOps(HostBackend backend, HostThreads threads, Gemm gemm) : IRecurrentOps
{
    /// <inheritdoc/>
    public RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining)
    {
        OperandChecks.RecurrentShape(shape);
        if (shape.Cell.Gates() > 1) throw new NotSupportedException($"{backend.Device.Id} has no {shape.Cell} yet.");
        return new HostRecurrentWorkspace(shape, isTraining, threads);
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
        for (int j = 0; j < shape.GateRows; j++) own.Bias[j] = inputBias[j] + hiddenBias[j];
        threads.Split(shape.Batch, RowUnit(shape.Batch), Work(shape), (_, from, to) => ElmanLayer.Forward(pass, own, from, to));
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
        float* delta = backend.Address(outputGradient); // [T, B, H]
        float* first = backend.AddressOrNull(initialGradient?.Hidden); // [B, H]
        threads.Split(shape.Batch, RowUnit(shape.Batch), Work(shape), (_, from, to) =>
            ElmanLayer.Backward(pass, own, delta, gradientFrom, first, from, to));
        workspace.ProductGradient = outputGradient;

        // The state before a reverse sequence's first step is the initial one, wherever the sequence begins.
        bool startsInside = lengths is not null && shape.IsReverse && initial is not null;
        if (startsInside) pass.FillPadding(pass.Output, 0, shape.Batch, pass.InitialHidden);
        own.Gradient!.Add(
            pass,
            delta,
            backend.Address(gradients.InputWeights),
            backend.Address(gradients.HiddenWeights),
            backend.Address(gradients.InputBias),
            backend.Address(gradients.HiddenBias));
        if (startsInside) pass.FillPadding(pass.Output, 0, shape.Batch, null);
        if (inputGradient is null) return;
        float* inputWeights = backend.Address(weights.InputWeights); // [G*H, I]
        gemm.Run(shape.Steps * shape.Batch, shape.Inputs, shape.GateRows, 1, delta, false, inputWeights, false, 0, backend.Address(inputGradient));
    }

    private static HostRecurrentWorkspace Own(RecurrentWorkspace workspace)
    {
        if (workspace is not HostRecurrentWorkspace own) throw new InvalidOperationException("This workspace was prepared by another backend.");
        ObjectDisposedException.ThrowIf(own.IsDisposed, workspace);
        return own;
    }

    // op(W) [k, columns] in panels; W is [columns, k] where transposed.
    private static void Pack(float* w, bool isTransposed, int k, int columns, float* panels) =>
        GemmPacking.PackPanels(w, isTransposed ? k : columns, isTransposed, k, columns, 1, panels, (nint)k * GemmKernel.PanelWidth);

    private static long Work(RecurrentShape shape) => (long)shape.Steps * shape.Batch * shape.GateRows * (shape.Hidden + shape.Inputs);

    // Whole tiles per thread, smaller ones where the batch is too small for that.
    private long RowUnit(int batch) => batch >= 16 * threads.Count ? 8 : batch >= 8 * threads.Count ? 4 : 1;
}
