using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

public abstract class ElmanLayerTests : OperationTests
{
    /// <summary>T, B, I, H.</summary>
    public static TheoryData<CellKind, int, int, int, int> Small => ForBothCells((1, 1, 1, 1), (2, 3, 1, 2), (5, 3, 2, 7), (3, 2, 3, 17));

    /// <summary>T, B, I, H: around the tiles of the backends, primes, and the shapes of use.</summary>
    public static TheoryData<CellKind, int, int, int, int> Large => ForBothCells(
        (3, 5, 4, 31), (3, 5, 4, 32), (2, 7, 5, 33), (1, 64, 28, 128), (4, 17, 28, 128), (3, 2, 1, 129),
        (2, 3, 2, 443), (40, 1, 1, 16), (6, 9, 65, 8), (2, 130, 3, 15));

    [SkippableTheory]
    [MemberData(nameof(Small))]
    public void Backward_agrees_with_finite_differences(CellKind cell, int t, int b, int i, int h)
    {
        foreach (bool hasInitial in new[] { true, false })
        {
            foreach (int from in new[] { 0, t - 1 })
            {
                ReferenceElman problem = new(new RecurrentShape(cell, t, b, i, h), seed: 7, hasInitial);
                Check(problem, new RecurrentShape(cell, t, b, i, h), from, problem.Differentiate(from));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Large))]
    public void Forward_and_backward_agree_with_the_definition(CellKind cell, int t, int b, int i, int h)
    {
        ReferenceElman problem = new(new RecurrentShape(cell, t, b, i, h), seed: 70, hasInitial: true);
        Check(problem, new RecurrentShape(cell, t, b, i, h), t / 2, problem.Backward(t / 2));
    }

    [SkippableTheory]
    [InlineData(CellKind.RnnTanh)]
    [InlineData(CellKind.RnnRelu)]
    public void A_workspace_serves_again_with_other_weights(CellKind cell)
    {
        RecurrentShape shape = new(cell, 3, 5, 4, 33);
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining: true);
        foreach (int seed in new[] { 1, 2000, 1 })
        {
            ReferenceElman problem = new(shape, seed, hasInitial: seed == 1);
            Check(problem, shape, 0, problem.Backward(0), workspace);
        }
    }

    [SkippableTheory]
    [InlineData(CellKind.RnnTanh)]
    [InlineData(CellKind.RnnRelu)]
    public void Inference_and_training_give_the_same_states_and_again_the_same_bits(CellKind cell)
    {
        RecurrentShape shape = new(cell, 9, 13, 7, 40);
        ReferenceElman problem = new(shape, seed: 3, hasInitial: true);
        Layer layer = new(this, problem, shape);
        float[] Bits(bool isTraining, bool wantsBackward)
        {
            using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining);
            Tensor output = Garbage(9, 13, 40);
            Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input, layer.Initial, output));
            if (!wantsBackward) return output.ToArray();
            RecurrentWeights gradients = layer.ZeroGradients();
            Tensor outputGradient = Make(problem.OutputGradient, 9, 13, 40);
            Backend.Recurrent.Backward(new(workspace, layer.Weights, layer.Input, layer.Initial, output, outputGradient, 0, gradients, null, null));
            return [.. gradients.HiddenWeights.ToArray(), .. gradients.InputWeights.ToArray(), .. gradients.InputBias.ToArray()];
        }

        Assert.Equal(Bits(isTraining: false, wantsBackward: false), Bits(isTraining: true, wantsBackward: false));
        Assert.Equal(Bits(isTraining: true, wantsBackward: true), Bits(isTraining: true, wantsBackward: true));
    }

    [SkippableFact]
    public void Chunks_that_hand_on_their_last_state_equal_the_whole()
    {
        RecurrentShape whole = new(CellKind.RnnTanh, 6, 3, 2, 19);
        RecurrentShape half = whole with { Steps = 3 };
        ReferenceElman problem = new(whole, seed: 5, hasInitial: false);
        Layer layer = new(this, problem, whole);
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(half, isTraining: false);
        Tensor first = Garbage(3, 3, 19);
        Tensor second = Garbage(3, 3, 19);
        Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input.View(0, 3, 3, 2), null, first));
        Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input.View(3 * 3 * 2, 3, 3, 2), new RecurrentState(first.Slice(2)), second));
        float[] states = [.. first.ToArray(), .. second.ToArray()];
        Close.Equal(problem.Forward(), states, 1e-5, 1e-5, "states", 6, 3, 19); // as in Check
    }

    [SkippableFact]
    public void Vanishing_gradients_vanish_and_stay_finite()
    {
        // ReLU with W_hh = 0.5 I: the gradient of the last step halves at each of 400 steps and leaves the range of single precision.
        RecurrentShape shape = new(CellKind.RnnRelu, 400, 3, 1, 16);
        Tensor hidden = Zeros(16, 16);
        float[] identity = new float[256];
        for (int i = 0; i < 16; i++) identity[17 * i] = 0.5f;
        hidden.CopyFrom<float>(identity);
        RecurrentWeights weights = new(Make(Enumerable.Repeat(1f, 16).ToArray(), 16, 1), hidden, Zeros(16), Zeros(16));
        RecurrentWeights gradients = new(Zeros(16, 1), Zeros(16, 16), Zeros(16), Zeros(16));
        Tensor input = Zeros(400, 3, 1);
        Backend.Fill(input, 1);
        Tensor output = Garbage(400, 3, 16);
        Tensor outputGradient = Garbage(400, 3, 16);
        Backend.Fill(outputGradient.Slice(399), 1);
        Tensor inputGradient = Garbage(400, 3, 1);
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining: true);
        Backend.Recurrent.Forward(new(workspace, weights, input, null, output));
        Backend.Recurrent.Backward(new(workspace, weights, input, null, output, outputGradient, 399, gradients, inputGradient, null));
        double[] expected = new double[1200];
        for (int i = 0; i < 1200; i++) expected[i] = 16 * Math.Pow(0.5, 399 - i / 3);
        Close.Equal(expected, inputGradient, 1e-6, 2e-29, "dx"); // powers of two are exact; a backend may flush each of 16 terms below 1e-30
        Assert.All(gradients.InputBias.ToArray(), x => Close.Equal(3 * 2.0, x, 1e-6, 0, "db")); // 3 rows of 1 + 1/2 + 1/4 + ...
    }

    [SkippableFact]
    public void Refuses_operands_that_do_not_fit()
    {
        RecurrentShape shape = new(CellKind.RnnTanh, 2, 3, 4, 5);
        IRecurrentOps ops = Backend.Recurrent;
        Layer layer = new(this, new ReferenceElman(shape, 1, true), shape);
        Tensor output = Zeros(2, 3, 5);
        using RecurrentWorkspace workspace = ops.Prepare(shape, isTraining: false);
        Assert.Throws<ArgumentException>(() => ops.Prepare(shape with { Hidden = 0 }, false));
        Assert.Throws<ArgumentException>(() => ops.Prepare(shape with { Steps = -1 }, true));
        Assert.Throws<ArgumentException>(() => ops.Prepare(shape with { Cell = (CellKind)99 }, true));
        Assert.Throws<ArgumentException>(() => ops.Forward(new(workspace, layer.Weights, Zeros(3, 3, 4), null, output)));
        Assert.Throws<ArgumentException>(() => ops.Forward(new(workspace, layer.Weights, layer.Input, new RecurrentState(Zeros(3, 4)), output)));
        Assert.Throws<ArgumentException>(() => ops.Forward(new(workspace, layer.Weights, layer.Input, null, Zeros(3, 2, 5))));
        // h_0 would be overwritten
        Assert.Throws<ArgumentException>(() => ops.Forward(new(workspace, layer.Weights, layer.Input, new RecurrentState(output.Slice(1)), output)));
        Assert.Throws<ArgumentException>(() => ops.Forward(new(workspace, layer.Weights with { InputBias = Zeros(4) }, layer.Input, null, output)));
        Assert.Throws<InvalidOperationException>(() => ops.Forward(new(workspace, layer.Weights, Foreign(2, 3, 4), null, output)));
        Assert.Throws<ObjectDisposedException>(() => ops.Forward(new(workspace, layer.Weights, Disposed(2, 3, 4), null, output)));
        void Backward(RecurrentWorkspace used, Tensor outputGradient, int from) =>
            ops.Backward(new(used, layer.Weights, layer.Input, null, output, outputGradient, from, layer.ZeroGradients(), null, null));
        Assert.Throws<InvalidOperationException>(() => Backward(workspace, Zeros(2, 3, 5), 0)); // made for inference
        using RecurrentWorkspace training = ops.Prepare(shape, isTraining: true);
        ops.Forward(new(training, layer.Weights, layer.Input, null, output));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backward(training, Zeros(2, 3, 5), 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backward(training, Zeros(2, 3, 5), -1));
        Assert.Throws<ArgumentException>(() => Backward(training, Zeros(2, 3, 4), 0));
        Assert.Throws<ArgumentException>(() => Backward(training, output, 0)); // the states are still read
    }

    [SkippableFact]
    public void A_disposed_workspace_is_refused()
    {
        RecurrentShape shape = new(CellKind.RnnRelu, 1, 1, 1, 1);
        Layer layer = new(this, new ReferenceElman(shape, 1, false), shape);
        RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining: true);
        workspace.Dispose();
        workspace.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input, null, Zeros(1, 1, 1))));
    }

    private static TheoryData<CellKind, int, int, int, int> ForBothCells(params (int T, int B, int I, int H)[] sizes)
    {
        TheoryData<CellKind, int, int, int, int> data = [];
        foreach ((int t, int b, int i, int h) in sizes)
        {
            data.Add(CellKind.RnnTanh, t, b, i, h);
            data.Add(CellKind.RnnRelu, t, b, i, h);
        }

        return data;
    }

    // Runs forward and backward; weight gradients must be added to what is there, the others overwritten, steps before `from` not read.
    private void Check(ReferenceElman problem, RecurrentShape shape, int from, ElmanGradients expected, RecurrentWorkspace? given = null)
    {
        (_, int t, int b, int i, int h) = shape;
        Layer layer = new(this, problem, shape);
        RecurrentWorkspace workspace = given ?? Own(Backend.Recurrent.Prepare(shape, isTraining: true));
        Tensor output = Garbage(t, b, h);
        Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input, layer.Initial, output));

        // States are of size one; rounding of H-term sums, carried on by a map of spectral radius 0.9: 1e-5 is about a hundred roundings.
        Close.Equal(problem.Forward(), output, 1e-5, 1e-5, $"{shape} states");

        double[] slope = [.. problem.OutputGradient];
        slope.AsSpan(0, from * b * h).Fill(double.NaN);
        float[][] before = [Numbers.Normal(h * i, 91), Numbers.Normal(h * h, 92), Numbers.Normal(h, 93), Numbers.Normal(h, 94)];
        RecurrentWeights gradients = new(Make(before[0], h, i), Make(before[1], h, h), Make(before[2], h), Make(before[3], h));
        Tensor inputGradient = Garbage(t, b, i);
        Tensor initialGradient = Garbage(b, h);
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
            layer.Initial is null ? null : new RecurrentState(initialGradient)));

        // Weight gradients sum T B products of size one; as the states otherwise.
        double atol = 1e-5 + 1e-6 * t * b;
        void Added(double[] sum, float[] start, Tensor value, string what) =>
            Close.Equal(sum.Zip(start, (x, y) => x + y).ToArray(), value, 1e-5, atol, $"{shape} from {from} {what}");
        Added(expected.InputWeights, before[0], gradients.InputWeights, "weight_ih");
        Added(expected.HiddenWeights, before[1], gradients.HiddenWeights, "weight_hh");
        Added(expected.InputBias, before[2], gradients.InputBias, "bias_ih");
        Added(expected.HiddenBias, before[3], gradients.HiddenBias, "bias_hh");
        Close.Equal(expected.Input, inputGradient, 1e-5, 2e-5, $"{shape} from {from} input");
        if (layer.Initial is not null) Close.Equal(expected.Initial, initialGradient, 1e-5, 2e-5, $"{shape} from {from} initial");
    }

    // The operands of one problem on the backend under test.
    private sealed class Layer(ElmanLayerTests test, ReferenceElman problem, RecurrentShape shape)
    {
        public RecurrentWeights Weights { get; } = new(
            test.Make(problem.InputWeights, shape.Hidden, shape.Inputs),
            test.Make(problem.HiddenWeights, shape.Hidden, shape.Hidden),
            test.Make(problem.InputBias, shape.Hidden),
            test.Make(problem.HiddenBias, shape.Hidden));

        public Tensor Input { get; } = test.Make(problem.Input, shape.Steps, shape.Batch, shape.Inputs);

        public RecurrentState? Initial { get; } =
            problem.Initial is null ? null : new RecurrentState(test.Make(problem.Initial, shape.Batch, shape.Hidden));

        public RecurrentWeights ZeroGradients() => new(
            test.Zeros(shape.Hidden, shape.Inputs), test.Zeros(shape.Hidden, shape.Hidden), test.Zeros(shape.Hidden), test.Zeros(shape.Hidden));
    }
}
