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
        return new HostRecurrentWorkspace(shape, isTraining, threads);
    }

    /// <inheritdoc/>
    public void Forward(RecurrentWorkspace workspace, RecurrentWeights weights, Tensor input, Tensor? initial, Tensor output)
    {
        HostRecurrentWorkspace own = Own(workspace);
        OperandChecks.RecurrentForward(backend, workspace, weights, input, initial, output);
        (CellKind cell, int steps, int batch, int inputs, int hidden) = workspace.Shape;
        Pack(backend.Address(weights.InputWeights), isTransposed: true, inputs, hidden, own.Input);
        Pack(backend.Address(weights.HiddenWeights), isTransposed: true, hidden, hidden, own.Hidden);
        float* inputBias = backend.Address(weights.InputBias);
        float* hiddenBias = backend.Address(weights.HiddenBias);
        for (int j = 0; j < hidden; j++) own.Bias[j] = inputBias[j] + hiddenBias[j];
        float* x = backend.Address(input); // [T, B, I]
        float* start = backend.AddressOrNull(initial); // [B, H]
        float* states = backend.Address(output); // [T, B, H]
        threads.Split(batch, RowUnit(batch), Work(workspace.Shape), (_, from, to) =>
        {
            nint rows = (nint)(to - from);
            for (long t = 0; t < steps; t++)
            {
                float* h = states + (t * batch + from) * hidden; // [rows, H]
                float* before = t > 0 ? h - (long)batch * hidden : start == null ? null : start + from * hidden; // [rows, H]
                Gemm.MultiplyPacked(rows, hidden, inputs, x + (t * batch + from) * inputs, inputs, own.Input, h, hidden, own.Bias, 0);
                if (before != null) Gemm.MultiplyPacked(rows, hidden, hidden, before, hidden, own.Hidden, h, hidden, h, hidden);
                if (cell == CellKind.RnnTanh) Elementwise.Run(new ElmanPointwise.TanhForward(h), 0, rows * hidden);
                else Elementwise.Run(new ElmanPointwise.ReluForward(h), 0, rows * hidden);
            }
        });
    }

    /// <inheritdoc/>
    public void Backward(
        RecurrentWorkspace workspace,
        RecurrentWeights weights,
        Tensor input,
        Tensor? initial,
        Tensor output,
        Tensor outputGradient,
        int gradientFrom,
        RecurrentWeights gradients,
        Tensor? inputGradient,
        Tensor? initialGradient)
    {
        HostRecurrentWorkspace own = Own(workspace);
        OperandChecks.RecurrentBackward(
            backend, workspace, weights, input, initial, output, outputGradient, gradientFrom, gradients, inputGradient, initialGradient);
        (CellKind cell, int steps, int batch, int inputs, int hidden) = workspace.Shape;
        Pack(backend.Address(weights.HiddenWeights), isTransposed: false, hidden, hidden, own.Back);
        float* states = backend.Address(output); // [T, B, H]
        float* delta = backend.Address(outputGradient); // [T, B, H]
        float* first = backend.AddressOrNull(initialGradient); // [B, H]
        threads.Split(batch, RowUnit(batch), Work(workspace.Shape), (_, from, to) =>
        {
            nint rows = (nint)(to - from);
            for (long t = steps - 1; t >= 0; t--)
            {
                float* d = delta + (t * batch + from) * hidden; // [rows, H]
                float* h = states + (t * batch + from) * hidden; // [rows, H]
                float* after = d + (long)batch * hidden; // [rows, H]
                float* given = t < gradientFrom ? null : d;
                if (t + 1 < steps) Gemm.MultiplyPacked(rows, hidden, hidden, after, hidden, own.Back, d, hidden, given, hidden);
                if (cell == CellKind.RnnTanh) Elementwise.Run(new ElmanPointwise.TanhBackward(d, h), 0, rows * hidden);
                else Elementwise.Run(new ElmanPointwise.ReluBackward(d, h), 0, rows * hidden);
            }

            if (first != null)
                Gemm.MultiplyPacked(rows, hidden, hidden, delta + from * hidden, hidden, own.Back, first + from * hidden, hidden, null, 0);
        });
        own.Gradient!.Add(
            workspace.Shape,
            delta,
            states,
            backend.AddressOrNull(initial),
            backend.Address(input),
            backend.Address(gradients.InputWeights),
            backend.Address(gradients.HiddenWeights),
            backend.Address(gradients.InputBias),
            backend.Address(gradients.HiddenBias));
        if (inputGradient is null) return;
        float* inputWeights = backend.Address(weights.InputWeights); // [H, I]
        gemm.Run(steps * batch, inputs, hidden, 1, delta, false, inputWeights, false, 0, backend.Address(inputGradient));
    }

    private static HostRecurrentWorkspace Own(RecurrentWorkspace workspace)
    {
        if (workspace is not HostRecurrentWorkspace own) throw new InvalidOperationException("This workspace was prepared by another backend.");
        ObjectDisposedException.ThrowIf(own.IsDisposed, workspace);
        return own;
    }

    // op(W) [k, H] in panels; W is [H, k] where transposed.
    private static void Pack(float* w, bool isTransposed, int k, int hidden, float* panels) =>
        GemmPacking.PackPanels(w, isTransposed ? k : hidden, isTransposed, k, hidden, 1, panels, (nint)k * GemmKernel.PanelWidth);

    private static long Work(RecurrentShape shape) => (long)shape.Steps * shape.Batch * shape.Hidden * (shape.Hidden + shape.Inputs);

    // Whole tiles per thread, smaller ones where the batch is too small for that.
    private long RowUnit(int batch) => batch >= 16 * threads.Count ? 8 : batch >= 8 * threads.Count ? 4 : 1;
}
