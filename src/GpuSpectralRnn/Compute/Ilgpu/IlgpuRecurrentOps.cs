using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>What an ILGPU device keeps for one recurrent layer: W_hh^T [H, H].</summary>
internal sealed class IlgpuRecurrentWorkspace(RecurrentShape shape, bool isTraining, Tensor transposedWeights) : RecurrentWorkspace(shape, isTraining)
{
    /// <summary>W_hh^T [H, H].</summary>
    public Tensor TransposedWeights { get; } = transposedWeights;

    /// <inheritdoc/>
    public override void Dispose() => TransposedWeights.Dispose();
}

/// <summary>
/// Recurrent layers as ILGPU kernels: one product projects the inputs of all steps, then one launch a step; backward, one launch a step, then one
/// product for each weight matrix over all steps.
/// </summary>
internal sealed class IlgpuRecurrentOps(IlgpuBackend backend, IlgpuMatrixOps matrix) : IRecurrentOps
{
    private readonly Transpose transpose = new(backend.Loader);
    private readonly Lazy<Elman> relu = new(() => Elman.Load<Relu>(backend.Loader));
    private readonly Lazy<Elman> tanh = new(() => Elman.Load<HyperbolicTangent>(backend.Loader));

    /// <inheritdoc/>
    public RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining)
    {
        OperandChecks.RecurrentShape(shape);
        if (shape.IsReverse || shape.Cell.Gates() > 1)
            throw new NotSupportedException($"{backend.Device.Id} has no kernels for {shape} yet; use the device host.");
        _ = CellOf(shape);
        return new IlgpuRecurrentWorkspace(shape, isTraining, backend.Allocate(new Shape(shape.Hidden, shape.Hidden)));
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
        OperandChecks.RecurrentForward(backend, workspace, weights, input, initial, output, final, lengths);
        RefuseLengths(lengths);
        workspace.ProductGradient = null;
        RecurrentShape shape = workspace.Shape;
        ArrayView<float> transposed = backend.View(((IlgpuRecurrentWorkspace)workspace).TransposedWeights);
        transpose.Run(backend.Stream, backend.View(weights.HiddenWeights), transposed, shape.Hidden, shape.Hidden);
        matrix.Multiply(false, true, 1, input, weights.InputWeights, 0, output, shape.Steps * shape.Batch, shape.Hidden, shape.Inputs);
        CellOf(shape).Forward(
            backend.Stream,
            backend.View(output),
            backend.ViewOrNull(initial?.Hidden),
            transposed,
            backend.View(weights.InputBias),
            backend.View(weights.HiddenBias),
            shape.Steps,
            shape.Batch,
            shape.Hidden);
        if (final is not null) backend.Copy(output.Slice(shape.Steps - 1), final.Hidden);
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
        OperandChecks.RecurrentBackward(
            backend, workspace, weights, input, initial, output, outputGradient, gradientFrom, gradients, inputGradient, initialGradient, lengths);
        RefuseLengths(lengths);
        (_, int t, int b, int i, int h) = workspace.Shape;
        backend.Count(output);
        CellOf(workspace.Shape).Backward(
            backend.Stream, backend.View(outputGradient), backend.View(output), backend.View(weights.HiddenWeights), gradientFrom, t, b, h);

        // From here on outputGradient holds the deltas of all steps, [T, B, H].
        Tensor delta = outputGradient;
        matrix.Multiply(true, false, 1, delta, input, 1, gradients.InputWeights, h, i, t * b);
        if (t > 1)
        {
            Tensor later = delta.View((long)b * h, t - 1, b, h);
            Tensor earlier = output.View(0, t - 1, b, h);
            matrix.Multiply(true, false, 1, later, earlier, 1, gradients.HiddenWeights, h, h, (t - 1) * b);
        }

        if (initial is not null) matrix.Multiply(true, false, 1, delta.Slice(0), initial.Hidden, 1, gradients.HiddenWeights, h, h, b);
        matrix.ColumnSums(delta, 1, gradients.InputBias);
        matrix.ColumnSums(delta, 1, gradients.HiddenBias);
        if (inputGradient is not null) matrix.Multiply(false, false, 1, delta, weights.InputWeights, 0, inputGradient, t * b, i, h);
        if (initialGradient is not null) matrix.Multiply(false, false, 1, delta.Slice(0), weights.HiddenWeights, 0, initialGradient.Hidden, b, h, h);
        workspace.ProductGradient = delta;
    }

    private void RefuseLengths(Tensor? lengths)
    {
        if (lengths is not null) throw new NotSupportedException($"{backend.Device.Id} has no kernels for sequences of unequal length yet; use the device host.");
    }

    private Elman CellOf(RecurrentShape shape) => shape.Cell switch
    {
        CellKind.RnnRelu => relu.Value,
        CellKind.RnnTanh => tanh.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape.Cell, "This cell has no kernels."),
    };
}
