namespace GpuSpectralRnn.Compute.Host;

/// <summary>Recurrent layers on the processor.</summary>
internal sealed unsafe class HostRecurrentOps(HostBackend backend) : IRecurrentOps
{
    /// <inheritdoc/>
    public RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining)
    {
        OperandChecks.RecurrentShape(shape);
        return new HostRecurrentWorkspace(shape, isTraining);
    }

    /// <inheritdoc/>
    public void Forward(RecurrentWorkspace workspace, RecurrentWeights weights, Tensor input, Tensor? initial, Tensor output)
    {
        ObjectDisposedException.ThrowIf(((HostRecurrentWorkspace)workspace).IsDisposed, workspace);
        OperandChecks.RecurrentForward(backend, workspace, weights, input, initial, output);
        (CellKind cell, int steps, int batch, int inputs, int hidden) = workspace.Shape;
        float* states = backend.Address(output);
        float* inputBias = backend.Address(weights.InputBias);
        float* hiddenBias = backend.Address(weights.HiddenBias);
        long width = (long)batch * hidden;
        for (int t = 0; t < steps; t++)
        {
            float* h = states + t * width; // [B, H]
            float* before = t == 0 ? backend.AddressOrNull(initial) : h - width;
            float* x = backend.Address(input) + (long)t * batch * inputs; // [B, I]
            HostMatrixOps.Multiply(batch, hidden, inputs, 1, x, false, backend.Address(weights.InputWeights), true, 0, h);
            if (before is not null) HostMatrixOps.Multiply(batch, hidden, hidden, 1, before, false, backend.Address(weights.HiddenWeights), true, 1, h);
            for (long i = 0; i < width; i++)
            {
                float a = h[i] + inputBias[i % hidden] + hiddenBias[i % hidden];
                h[i] = cell == CellKind.RnnTanh ? MathF.Tanh(a) : MathF.Max(a, 0);
            }
        }
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
        ObjectDisposedException.ThrowIf(((HostRecurrentWorkspace)workspace).IsDisposed, workspace);
        OperandChecks.RecurrentBackward(
            backend, workspace, weights, input, initial, output, outputGradient, gradientFrom, gradients, inputGradient, initialGradient);
        (CellKind cell, int steps, int batch, int inputs, int hidden) = workspace.Shape;
        float* delta = backend.Address(outputGradient); // [T, B, H]
        float* states = backend.Address(output); // [T, B, H]
        float* recurrent = backend.Address(weights.HiddenWeights); // [H, H]
        float* start = backend.AddressOrNull(initial); // [B, H]
        long width = (long)batch * hidden;
        for (int t = steps - 1; t >= 0; t--)
        {
            float* d = delta + t * width; // [B, H]
            float* h = states + t * width; // [B, H]
            if (t < gradientFrom) new Span<float>(d, (int)width).Clear();
            if (t + 1 < steps) HostMatrixOps.Multiply(batch, hidden, hidden, 1, d + width, false, recurrent, false, 1, d);
            for (long i = 0; i < width; i++) d[i] = cell == CellKind.RnnTanh ? d[i] * (1 - h[i] * h[i]) : h[i] > 0 ? d[i] : 0;
        }

        int rows = steps * batch;
        float* inputWeights = backend.Address(weights.InputWeights);
        HostMatrixOps.Multiply(hidden, inputs, rows, 1, delta, true, backend.Address(input), false, 1, backend.Address(gradients.InputWeights));
        float* hiddenGradient = backend.Address(gradients.HiddenWeights);
        HostMatrixOps.Multiply(hidden, hidden, rows - batch, 1, delta + width, true, states, false, 1, hiddenGradient);
        if (start is not null) HostMatrixOps.Multiply(hidden, hidden, batch, 1, delta, true, start, false, 1, hiddenGradient);
        HostMatrixOps.Sum(delta, rows, hidden, 1, backend.Address(gradients.InputBias));
        HostMatrixOps.Sum(delta, rows, hidden, 1, backend.Address(gradients.HiddenBias));
        if (inputGradient is not null) HostMatrixOps.Multiply(rows, inputs, hidden, 1, delta, false, inputWeights, false, 0, backend.Address(inputGradient));
        if (initialGradient is not null) HostMatrixOps.Multiply(batch, hidden, hidden, 1, delta, false, recurrent, false, 0, backend.Address(initialGradient));
    }

    private sealed class HostRecurrentWorkspace(RecurrentShape shape, bool isTraining) : RecurrentWorkspace(shape, isTraining)
    {
        public bool IsDisposed { get; private set; }

        public override void Dispose() => IsDisposed = true;
    }
}
