using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Recurrent layers of every cell in all that the contract offers: both directions, initial and final states, unequal lengths.</summary>
public abstract class RecurrentLayerTests : RecurrentLayerChecks
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
                Check(problem, shape, t - 1, problem.Differentiate(t - 1));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_the_definition(CellKind cell, bool isReverse, bool hasLengths)
    {
        // Around the tiles of the backends, primes, and the shapes of use.
        foreach ((int t, int b, int i, int h) in new[]
            { (3, 5, 4, 31), (2, 7, 5, 32), (4, 9, 65, 33), (2, 64, 28, 128), (40, 3, 1, 16), (3, 2, 1, 129), (7, 23, 3, 15) })
        {
            RecurrentShape shape = new(cell, t, b, i, h) { IsReverse = isReverse };
            ReferenceLayer problem = new(shape, seed: 70, hasInitial: h % 2 == 1, hasLengths);
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
    public void Inference_gives_the_bits_of_training(CellKind cell, bool isReverse, bool hasLengths)
    {
        RecurrentShape shape = new(cell, 9, 13, 7, 40) { IsReverse = isReverse };
        Layer layer = new(this, new ReferenceLayer(shape, seed: 3, hasInitial: true, hasLengths), shape);
        float[] Bits(bool isTraining)
        {
            using RecurrentWorkspace workspace = Backend.Recurrent.Prepare(shape, isTraining);
            Tensor output = Garbage(9, 13, 40);
            RecurrentState final = layer.Garbage();
            Backend.Recurrent.Forward(new(workspace, layer.Weights, layer.Input, layer.Initial, output, final, layer.Lengths));
            return [.. output.ToArray(), .. final.Hidden.ToArray(), .. final.Cell?.ToArray() ?? []];
        }

        Assert.Equal(Bits(isTraining: false), Bits(isTraining: true));
    }

    [SkippableTheory]
    [InlineData(CellKind.RnnTanh)]
    [InlineData(CellKind.Lstm)]
    [InlineData(CellKind.Gru)]
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
