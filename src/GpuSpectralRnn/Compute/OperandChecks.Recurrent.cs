namespace GpuSpectralRnn.Compute;

/// <content>Recurrent layers.</content>
internal static partial class OperandChecks
{
    /// <summary>Checks what a recurrent layer is to be: known cell, every extent one or more.</summary>
    public static void RecurrentShape(RecurrentShape shape)
    {
        if (!Enum.IsDefined(shape.Cell)) Fail($"There is no cell {shape.Cell}.", nameof(shape));
        if (shape.Steps < 1 || shape.Batch < 1 || shape.Inputs < 1 || shape.Hidden < 1)
            Fail($"Every extent of a recurrent layer is one or more: {shape}.", nameof(shape));
    }

    /// <summary>Operands of a recurrent layer's forward pass.</summary>
    public static void RecurrentForward(
        IBackend backend,
        RecurrentWorkspace workspace,
        RecurrentWeights weights,
        Tensor input,
        RecurrentState? initial,
        Tensor output,
        RecurrentState? final,
        Tensor? lengths)
    {
        RecurrentShape shape = workspace.Shape;
        Weights(backend, shape, weights);
        Float(backend, input, shape.Steps, shape.Batch, shape.Inputs);
        Float(backend, output, shape.Steps, shape.Batch, shape.Hidden);
        Apart(backend, output, input);
        State(backend, shape, initial, output);
        State(backend, shape, final, output, input, initial?.Hidden, initial?.Cell);
        if (final?.Cell is not null) Apart(backend, final.Cell, final.Hidden);
        if (lengths is not null) Lengths(backend, lengths, shape.Batch);
    }

    /// <summary>Operands of a recurrent layer's backward pass.</summary>
    public static void RecurrentBackward(
        IBackend backend,
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
        Tensor? lengths)
    {
        RecurrentShape shape = workspace.Shape;
        if (!workspace.IsTraining) throw new InvalidOperationException("This workspace was prepared for inference; prepare one for training.");
        RecurrentForward(backend, workspace, weights, input, initial, output, null, lengths);
        Weights(backend, shape, gradients);
        Float(backend, outputGradient, shape.Steps, shape.Batch, shape.Hidden);
        if (gradientFrom < 0 || gradientFrom >= shape.Steps)
            throw new ArgumentOutOfRangeException(
                nameof(gradientFrom), gradientFrom, $"The first step with a gradient is one of 0..{shape.Steps - 1}.");
        Apart(backend, outputGradient, output);
        Apart(backend, outputGradient, input);
        if (inputGradient is not null)
        {
            Float(backend, inputGradient, shape.Steps, shape.Batch, shape.Inputs);
            Apart(backend, inputGradient, outputGradient);
            Apart(backend, inputGradient, output);
            Apart(backend, inputGradient, input);
        }

        State(backend, shape, initialGradient, outputGradient, output, initial?.Hidden, initial?.Cell);
        if (initialGradient?.Cell is not null) Apart(backend, initialGradient.Cell, initialGradient.Hidden);
    }

    private static void State(IBackend backend, RecurrentShape shape, RecurrentState? state, params ReadOnlySpan<Tensor?> others)
    {
        if (state is null) return;
        Float(backend, state.Hidden, shape.Batch, shape.Hidden);
        if (state.Cell is not null)
        {
            if (shape.Cell != CellKind.Lstm) Fail($"{shape.Cell} has no cell state c; give the hidden state alone.", nameof(state));
            Float(backend, state.Cell, shape.Batch, shape.Hidden);
        }

        foreach (Tensor? other in others)
        {
            if (other is null) continue;
            Apart(backend, state.Hidden, other);
            if (state.Cell is not null) Apart(backend, state.Cell, other);
        }
    }

    private static void Weights(IBackend backend, RecurrentShape shape, RecurrentWeights weights)
    {
        Float(backend, weights.InputWeights, shape.GateRows, shape.Inputs);
        Float(backend, weights.HiddenWeights, shape.GateRows, shape.Hidden);
        Float(backend, weights.InputBias, shape.GateRows);
        Float(backend, weights.HiddenBias, shape.GateRows);
    }
}
