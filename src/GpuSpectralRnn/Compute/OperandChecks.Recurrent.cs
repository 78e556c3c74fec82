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
    public static void RecurrentForward(IBackend backend, RecurrentForward o)
    {
        RecurrentShape shape = o.Workspace.Shape;
        (Tensor input, Tensor output) = (o.Input, o.Output);
        Weights(backend, shape, o.Weights);
        Float(backend, input, shape.Steps, shape.Batch, shape.Inputs);
        Float(backend, output, shape.Steps, shape.Batch, shape.Hidden);
        Apart(backend, output, input);
        State(backend, shape, o.Initial, output);
        State(backend, shape, o.Final, output, input, o.Initial?.Hidden, o.Initial?.Cell);
        if (o.Final?.Cell is not null) Apart(backend, o.Final.Cell, o.Final.Hidden);
        if (o.Lengths is not null) Lengths(backend, o.Lengths, shape.Batch);
    }

    /// <summary>Operands of a recurrent layer's backward pass.</summary>
    public static void RecurrentBackward(IBackend backend, RecurrentBackward o)
    {
        RecurrentShape shape = o.Workspace.Shape;
        if (!o.Workspace.IsTraining) throw new InvalidOperationException("This workspace was prepared for inference; prepare one for training.");
        RecurrentForward(backend, new(o.Workspace, o.Weights, o.Input, o.Initial, o.Output, Lengths: o.Lengths));
        (Tensor input, Tensor output, Tensor outputGradient, Tensor? inputGradient) = (o.Input, o.Output, o.OutputGradient, o.InputGradient);
        Weights(backend, shape, o.Gradients);
        Float(backend, outputGradient, shape.Steps, shape.Batch, shape.Hidden);
        if (o.GradientFrom < 0 || o.GradientFrom >= shape.Steps)
            throw new ArgumentOutOfRangeException(
                nameof(o.GradientFrom), o.GradientFrom, $"The first step with a gradient is one of 0..{shape.Steps - 1}.");
        Apart(backend, outputGradient, output);
        Apart(backend, outputGradient, input);
        if (inputGradient is not null)
        {
            Float(backend, inputGradient, shape.Steps, shape.Batch, shape.Inputs);
            Apart(backend, inputGradient, outputGradient);
            Apart(backend, inputGradient, output);
            Apart(backend, inputGradient, input);
        }

        State(backend, shape, o.InitialGradient, outputGradient, output, o.Initial?.Hidden, o.Initial?.Cell);
        if (o.InitialGradient?.Cell is not null) Apart(backend, o.InitialGradient.Cell, o.InitialGradient.Hidden);
    }

    private static void State(IBackend backend, RecurrentShape shape, RecurrentState? state, params ReadOnlySpan<Tensor?> others)
    {
        if (state is null) return;
        Float(backend, state.Hidden, shape.Batch, shape.Hidden);
        if (state.Cell is not null)
        {
            if (!shape.Spec.HasCellState) Fail($"{shape.Cell} has no cell state c; give the hidden state alone.", nameof(state));
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
        if (shape.Spec.HasPeepholes != weights.Peepholes is not null)
            Fail($"{shape.Cell} has {(weights.Peepholes is null ? "" : "no ")}peepholes; give {(weights.Peepholes is null ? "them" : "none")}.", nameof(weights));
        if (weights.Peepholes is not null) Float(backend, weights.Peepholes, 3 * shape.Hidden);
    }
}
