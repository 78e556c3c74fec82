using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Recurrent layers of every cell in all that the contract offers: both directions, initial and final states, unequal lengths.</summary>
public abstract class RecurrentLayerTests(DeviceFixture device) : RecurrentLayerChecks(device)
{
    /// <summary>Cell, whether it walks backward, whether it has lengths.</summary>
    public static TheoryData<CellKind, bool, bool> Kinds
    {
        get
        {
            TheoryData<CellKind, bool, bool> data = [];
            foreach (CellKind cell in Enum.GetValues<CellKind>())
            {
                foreach (bool isReverse in new[] { false, true })
                {
                    data.Add(cell, isReverse, false);
                    data.Add(cell, isReverse, true);
                }
            }

            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_finite_differences(CellKind cell, bool isReverse, bool hasLengths)
    {
        foreach ((int t, int b, int i, int h) in new[] { (1, 1, 1, 1), (2, 3, 1, 2), (5, 3, 2, 7), (3, 2, 3, 17) })
        {
            foreach (bool hasInitial in new[] { true, false })
            {
                RecurrentShape shape = new(cell, t, b, i, h) { IsReverse = isReverse };
                ReferenceLayer problem = new(shape, seed: 7, hasInitial, hasLengths);
                int from = hasInitial ? 0 : t - 1;
                Check(problem, shape, from, problem.Differentiate(from));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_the_definition(CellKind cell, bool isReverse, bool hasLengths)
    {
        // Around the tiles of the backends, primes, and the shapes of use.
        foreach ((int t, int b, int i, int h) in new[]
            { (3, 5, 4, 31), (2, 7, 5, 32), (4, 9, 65, 33), (2, 64, 28, 128), (40, 3, 1, 16), (3, 2, 1, 129), (7, 23, 3, 15), (4, 1, 130, 150) })
        {
            RecurrentShape shape = new(cell, t, b, i, h) { IsReverse = isReverse };
            ReferenceLayer problem = new(shape, seed: 70, hasInitial: h % 2 == 1, hasLengths);
            Check(problem, shape, t / 2, problem.Backward(t / 2));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Agrees_where_whole_blocks_of_weights_are_zero(CellKind cell, bool isReverse, bool hasLengths)
    {
        // Sizes at which backends skip blocks, some of them cut; the reference knows none.
        RecurrentShape shape = new(cell, Steps: 3, Batch: 11, Inputs: 66, Hidden: 76) { IsReverse = isReverse };
        ReferenceLayer problem = new(shape, seed: 71, hasInitial: true, hasLengths);
        foreach ((double[] weights, int columns) in (ReadOnlySpan<(double[], int)>)[(problem.InputWeights, shape.Inputs),
            (problem.HiddenWeights, shape.Hidden)])
        {
            for (int at = 0; at < weights.Length; at++)
                if (((at / columns / 8 * 5) + (at % columns / 8 * 3)) % 7 > 1) weights[at] = 0; // two blocks of seven are left
        }

        Check(problem, shape, 1, problem.Backward(1));
    }

    [SkippableTheory]
    [InlineData(CellKind.RnnTanh)]
    [InlineData(CellKind.RnnRelu)]
    public void Elman_layers_agree_with_the_definition_at_more_sizes(CellKind cell)
    {
        foreach ((int t, int b, int i, int h) in new[] { (1, 64, 28, 128), (4, 17, 28, 128), (2, 3, 2, 443), (6, 9, 65, 8), (2, 130, 3, 15) })
        {
            RecurrentShape shape = new(cell, t, b, i, h);
            ReferenceLayer problem = new(shape, seed: 70, hasInitial: true, hasLengths: false);
            Check(problem, shape, t / 2, problem.Backward(t / 2));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void A_workspace_serves_again_with_other_operands(CellKind cell, bool isReverse, bool hasLengths)
    {
        RecurrentShape shape = new(cell, 3, 5, 4, 33) { IsReverse = isReverse };
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining: true);
        foreach (int seed in new[] { 1, 2000, 1 })
        {
            ReferenceLayer problem = new(shape, seed, hasInitial: seed == 1, hasLengths ^ (seed == 2000));
            Check(problem, shape, 0, problem.Backward(0), workspace);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Inference_gives_the_bits_of_training_and_training_the_same_bits_again(CellKind cell, bool isReverse, bool hasLengths)
    {
        RecurrentShape shape = new(cell, 9, 13, 7, 40) { IsReverse = isReverse };
        ReferenceLayer problem = new(shape, seed: 3, hasInitial: true, hasLengths);
        Layer layer = new(this, problem, shape);
        (float[] Forward, float[] Backward) Bits(bool isTraining)
        {
            using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining);
            Tensor output = Garbage(9, 13, 40);
            RecurrentState final = layer.Garbage();
            Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input, layer.Initial, output, final, layer.Lengths));
            float[] states = [.. output.ToArray(), .. final.Hidden.ToArray(), .. final.Cell?.ToArray() ?? []];
            if (!isTraining) return (states, []);
            RecurrentWeights sums = layer.ZeroGradients();
            Tensor slope = Make(problem.OutputGradient, 9, 13, 40);
            Backend.Recurrent.Backward(new(workspace, layer.Weights, layer.Input, layer.Initial, output, slope, 0, sums, null, null, layer.Lengths));
            Tensor[] gradients = [sums.HiddenWeights, sums.InputWeights, sums.InputBias, sums.HiddenBias, sums.Peepholes ?? sums.HiddenBias];
            return (states, [.. gradients.SelectMany(gradient => gradient.ToArray())]);
        }

        (float[] forward, float[] backward) = Bits(isTraining: true);
        Assert.Equal(forward, Bits(isTraining: false).Forward);
        Assert.Equal(backward, Bits(isTraining: true).Backward);
    }

    [SkippableTheory]
    [InlineData(CellKind.RnnRelu)]
    [InlineData(CellKind.Lstm)]
    [InlineData(CellKind.Gru)]
    [InlineData(CellKind.GruResetBefore)]
    [InlineData(CellKind.LstmPeephole)]
    public void Weights_that_change_between_passes_count_in_the_next(CellKind cell)
    {
        RecurrentShape shape = new(cell, 3, 2, 4, 9);
        Layer layer = new(this, new ReferenceLayer(shape, seed: 6, hasInitial: true, hasLengths: false), shape);
        Tensor[] parameters = [layer.Weights.InputWeights, layer.Weights.HiddenWeights, layer.Weights.InputBias, layer.Weights.HiddenBias];
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining: false);
        float[] Pass(RecurrentWorkspace by)
        {
            Tensor output = Garbage(3, 2, 9);
            Backend.Recurrent.Forward(new(by, layer.Weights, layer.Input, layer.Initial, output));
            return output.ToArray();
        }

        void Change(Action write)
        {
            float[] before = Pass(workspace);
            Assert.Equal(before, Pass(workspace));
            write();
            using RecurrentWorkspace fresh = Backend.Recurrent.Prepare(shape, isTraining: false);
            float[] after = Pass(workspace);
            Assert.NotEqual(before, after);
            Assert.Equal(Pass(fresh), after);
        }

        foreach (Tensor parameter in parameters)
        {
            Change(() => parameter.View(1, 2).CopyFrom<float>([0.5f, -0.5f]));
            Change(() => Backend.Fill(parameter.View(0, 3), 0.25f));
            int count = (int)parameter.Shape.Count;
            Change(() => Backend.Optimizer.Sgd(new(parameter.View(0, count), Make(Numbers.Normal(count, 8), count), new(0.1f, 0))));
        }
    }

    [SkippableTheory]
    [InlineData(CellKind.RnnTanh)]
    [InlineData(CellKind.Lstm)]
    [InlineData(CellKind.Gru)]
    [InlineData(CellKind.GruResetBefore)]
    [InlineData(CellKind.LstmPeephole)]
    public void Chunks_that_hand_on_their_final_state_equal_the_whole(CellKind cell)
    {
        RecurrentShape whole = new(cell, 6, 3, 2, 19);
        ReferenceLayer problem = new(whole, seed: 5, hasInitial: false, hasLengths: false);
        Layer layer = new(this, problem, whole);
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(whole with { Steps = 3 }, isTraining: false);
        Tensor first = Garbage(3, 3, 19);
        Tensor second = Garbage(3, 3, 19);
        RecurrentState between = layer.Garbage();
        Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input.View(0, 3, 3, 2), null, first, between));
        Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input.View(3 * 3 * 2, 3, 3, 2), between, second));
        float[] states = [.. first.ToArray(), .. second.ToArray()];
        Close.Equal(problem.Forward().Output, states, 1e-5, 1e-5, "states", 6, 3, 19); // as in Check
    }

    [SkippableFact]
    public void Vanishing_gradients_vanish_and_stay_finite()
    {
        // ReLU with W_hh = 0.5 I: the gradient of the last step halves at each of 400 steps and leaves the range of single precision.
        RecurrentShape shape = new(CellKind.RnnRelu, 400, 3, 1, 16);
        float[] half = new float[256];
        for (int i = 0; i < 16; i++) half[17 * i] = 0.5f;
        RecurrentWeights weights = new(Make(Enumerable.Repeat(1f, 16).ToArray(), 16, 1), Make(half, 16, 16), Zeros(16), Zeros(16));
        RecurrentWeights gradients = new(Zeros(16, 1), Zeros(16, 16), Zeros(16), Zeros(16));
        Tensor input = Zeros(400, 3, 1), output = Garbage(400, 3, 16), outputGradient = Garbage(400, 3, 16), inputGradient = Garbage(400, 3, 1);
        Backend.Fill(input, 1);
        Backend.Fill(outputGradient.Slice(399), 1);
        using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining: true);
        Backend.Recurrent.Forward(new(workspace, weights, input, null, output));
        Backend.Recurrent.Backward(new(workspace, weights, input, null, output, outputGradient, 399, gradients, inputGradient, null));
        double[] expected = [.. Enumerable.Range(0, 1200).Select(i => 16 * Math.Pow(0.5, 399 - i / 3))];
        Close.Equal(expected, inputGradient, 1e-6, 2e-29, "dx"); // powers of two are exact; a backend may flush each of 16 terms below 1e-30
        Assert.All(gradients.InputBias.ToArray(), x => Close.Equal(3 * 2.0, x, 1e-6, 0, "db")); // 3 rows of 1 + 1/2 + 1/4 + ...
    }

    [SkippableFact]
    public void Refuses_operands_that_do_not_fit()
    {
        RecurrentShape shape = new(CellKind.RnnTanh, 2, 3, 4, 5);
        IRecurrentOps ops = Backend.Recurrent;
        Layer layer = new(this, new ReferenceLayer(shape, 1, true, false), shape);
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
        Assert.Throws<ArgumentException>(() => ops.Forward(new(workspace, layer.Weights with { Peepholes = Zeros(15) }, layer.Input, null, output)));
        using RecurrentWorkspace seeing = ops.Prepare(shape with { Cell = CellKind.LstmPeephole }, isTraining: false);
        RecurrentWeights blind = new(Zeros(20, 4), Zeros(20, 5), Zeros(20), Zeros(20));
        Assert.Throws<ArgumentException>(() => ops.Forward(new(seeing, blind, layer.Input, null, output)));
        Assert.Throws<ArgumentException>(() => ops.Forward(new(seeing, blind with { Peepholes = Zeros(14) }, layer.Input, null, output)));
        Assert.Throws<InvalidOperationException>(() => ops.Forward(new(workspace, layer.Weights, Foreign(2, 3, 4), null, output)));
        Assert.Throws<ObjectDisposedException>(() => ops.Forward(new(workspace, layer.Weights, Disposed(2, 3, 4), null, output)));
        void Backward(RecurrentWorkspace used, Tensor outputGradient, int from) =>
            ops.Backward(new(used, layer.Weights, layer.Input, null, output, outputGradient, from, layer.ZeroGradients(), null, null));
        Assert.Throws<InvalidOperationException>(() => Backward(workspace, Zeros(2, 3, 5), 0)); // made for inference
        RecurrentWorkspace training = ops.Prepare(shape, isTraining: true);
        ops.Forward(new(training, layer.Weights, layer.Input, null, output));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backward(training, Zeros(2, 3, 5), 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backward(training, Zeros(2, 3, 5), -1));
        Assert.Throws<ArgumentException>(() => Backward(training, Zeros(2, 3, 4), 0));
        Assert.Throws<ArgumentException>(() => Backward(training, output, 0)); // the states are still read
        training.Dispose();
        training.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ops.Forward(new(training, layer.Weights, layer.Input, null, output)));
    }

    [SkippableFact]
    public void Refuses_states_and_lengths_that_do_not_fit()
    {
        RecurrentShape shape = new(CellKind.RnnTanh, 2, 3, 4, 5);
        IRecurrentOps ops = Backend.Recurrent;
        Layer layer = new(this, new ReferenceLayer(shape, 1, true, false), shape);
        Tensor output = Zeros(2, 3, 5);
        using RecurrentWorkspace workspace = ops.Prepare(shape, isTraining: false);
        void Forward(RecurrentState? final, Tensor? lengths) => ops.Forward(new(workspace, layer.Weights, layer.Input, layer.Initial, output, final, lengths));
        Assert.Throws<ArgumentException>(() => Forward(new RecurrentState(Zeros(3, 5), Zeros(3, 5)), null)); // Elman has no c
        Assert.Throws<ArgumentException>(() => Forward(new RecurrentState(Zeros(3, 4)), null));
        Assert.Throws<ArgumentException>(() => Forward(layer.Initial, null)); // backpropagation still reads the initial state
        Assert.Throws<ArgumentException>(() => Forward(new RecurrentState(output.Slice(0)), null));
        Assert.Throws<ArgumentException>(() => Forward(null, MakeIntegers(1, 2)));
        Assert.Throws<ArgumentException>(() => Forward(null, Zeros(3))); // not integers
    }
}
