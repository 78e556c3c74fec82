using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>How tests of recurrent layers hold one problem against its reference.</summary>
public abstract class RecurrentLayerChecks(DeviceFixture? device) : OperationTests(device)
{
    /// <summary>
    /// Runs forward and backward; weight gradients must be added to what is there, the others overwritten, what has no gradient not read.
    /// </summary>
    protected void Check(ReferenceLayer problem, RecurrentShape shape, int from, LayerGradients expected, RecurrentWorkspace? given = null)
    {
        (CellKind cell, int t, int b, int i, int h) = shape;
        int rows = shape.GateRows;
        string what = $"{shape}{(problem.Lengths is null ? "" : " with lengths")} from {from}";
        Layer layer = new(this, problem, shape);
        RecurrentWorkspace workspace = given ?? Own(Backend.Recurrent.Prepare(shape, isTraining: true));
        Tensor output = Garbage(t, b, h);
        RecurrentState final = layer.Garbage();
        Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input, layer.Initial, output, final, layer.Lengths));
        Assert.Null(workspace.ProductGradient);

        // States are of size one; rounding of H-term sums, carried on by a map of spectral radius 0.9: 1e-5 is about a hundred roundings.
        (double[] states, double[] finalHidden, double[] finalCell) = problem.Forward();
        Close.Equal(states, output, 1e-5, 1e-5, $"{what} states");
        Close.Equal(finalHidden, final.Hidden, 1e-5, 1e-5, $"{what} final h");
        if (final.Cell is not null) Close.Equal(finalCell, final.Cell, 1e-5, 1e-5, $"{what} final c");

        double[] slope = [.. problem.OutputGradient];
        for (int number = 0; number < from; number++) slope.AsSpan((shape.IsReverse ? t - 1 - number : number) * b * h, b * h).Fill(double.NaN);
        float[][] before = [Numbers.Normal(rows * i, 91), Numbers.Normal(rows * h, 92), Numbers.Normal(rows, 93), Numbers.Normal(rows, 94)];
        float[] peepholes = Numbers.Normal(3 * h, 95);
        RecurrentWeights gradients = new(
            Make(before[0], rows, i), Make(before[1], rows, h), Make(before[2], rows), Make(before[3], rows), problem.Peepholes is null ? null : Make(peepholes, 3 * h));
        Tensor inputGradient = Garbage(t, b, i);
        RecurrentState? initialGradient = layer.Initial is null ? null : layer.Garbage();
        Backend.Recurrent.Backward(new(
            workspace,
            layer.Weights,
            layer.Input,
            layer.Initial,
            output,
            Make(slope, t, b, h),
            from,
            gradients,
            inputGradient,
            initialGradient,
            layer.Lengths));

        // Weight gradients sum T B products of size one; as the states otherwise.
        double atol = 1e-5 + 1e-6 * t * b;
        void Added(double[] sum, float[] start, Tensor value, string name) =>
            Close.Equal(sum.Zip(start, (x, y) => x + y).ToArray(), value, 1e-5, atol, $"{what} {name}");
        Added(expected.InputWeights, before[0], gradients.InputWeights, "weight_ih");
        Added(expected.HiddenWeights, before[1], gradients.HiddenWeights, "weight_hh");
        Added(expected.InputBias, before[2], gradients.InputBias, "bias_ih");
        Added(expected.HiddenBias, before[3], gradients.HiddenBias, "bias_hh");
        if (gradients.Peepholes is not null) Added(expected.Peepholes, peepholes, gradients.Peepholes, "weight_peephole");
        Close.Equal(expected.Input, inputGradient, 1e-5, 2e-5, $"{what} input");
        Close.Equal(states, output, 1e-5, 1e-5, $"{what} states after backward");
        if (expected.Product.Length > 0) Close.Equal(expected.Product, workspace.ProductGradient!, 1e-5, 2e-5, $"{what} product");
        if (initialGradient is null) return;
        Close.Equal(expected.Initial, initialGradient.Hidden, 1e-5, 2e-5, $"{what} initial h");
        if (initialGradient.Cell is not null) Close.Equal(expected.InitialCell, initialGradient.Cell, 1e-5, 2e-5, $"{what} initial c");
    }

    /// <summary>The operands of one problem on the backend under test.</summary>
    protected sealed class Layer(RecurrentLayerChecks test, ReferenceLayer problem, RecurrentShape shape)
    {
        public RecurrentWeights Weights { get; } = new(
            test.Make(problem.InputWeights, shape.GateRows, shape.Inputs),
            test.Make(problem.HiddenWeights, shape.GateRows, shape.Hidden),
            test.Make(problem.InputBias, shape.GateRows),
            test.Make(problem.HiddenBias, shape.GateRows),
            problem.Peepholes is null ? null : test.Make(problem.Peepholes, 3 * shape.Hidden));

        public Tensor Input { get; } = test.Make(problem.Input, shape.Steps, shape.Batch, shape.Inputs);

        public RecurrentState? Initial { get; } = problem.Initial is null
            ? null
            : new RecurrentState(
                test.Make(problem.Initial, shape.Batch, shape.Hidden),
                problem.InitialCell is null ? null : test.Make(problem.InitialCell, shape.Batch, shape.Hidden));

        public Tensor? Lengths { get; } = problem.Lengths is null ? null : test.MakeIntegers(problem.Lengths);

        public RecurrentWeights ZeroGradients() => new(
            test.Zeros(shape.GateRows, shape.Inputs),
            test.Zeros(shape.GateRows, shape.Hidden),
            test.Zeros(shape.GateRows),
            test.Zeros(shape.GateRows),
            problem.Peepholes is null ? null : test.Zeros(3 * shape.Hidden));

        public RecurrentState Garbage() => new(
            test.Garbage(shape.Batch, shape.Hidden), shape.Spec.HasCellState ? test.Garbage(shape.Batch, shape.Hidden) : null);
    }
}
