using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Tests.Support;
using HostBackend = GpuSpectralRnn.Compute.Host.HostBackend;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>
/// Every module in small graphs of every make: who gives its inputs, who else reads them, what becomes of its output, with lengths and without. A new
/// module is one more line of <see cref="All"/>.
/// </summary>
[Collection("ilgpu-cpu")]
public sealed class ModuleTests(IlgpuCpuDevice simulator) : IDisposable
{
    private readonly HostBackend host = new(threads: 2);

    // Inputs by name: the fields x and y (sequences of 4 numbers), t (tokens) and k (their characters); a, b, c of 4 units and s of one are made from x, u of 4 from y; a
    // v before the name makes a vector of it. Each is made by a module with parameters, so that gradients flow through the inputs.
    private static readonly Module[] All =
    [
        new Activation { Name = "relu", Inputs = ["a"], Kind = ActivationKind.Relu },
        new Activation { Name = "tanh", Inputs = ["va"], Kind = ActivationKind.Tanh },
        new Activation { Name = "sigmoid", Inputs = ["a"], Kind = ActivationKind.Sigmoid },
        new Activation { Name = "sigmoid-of-field", Inputs = ["x"], Kind = ActivationKind.Sigmoid },
        new Attention { Name = "attention", Inputs = ["a", "u"] },
        new Attention { Name = "attention-to-itself", Inputs = ["a", "a"] },
        new Attention { Name = "attention-to-field", Inputs = ["a", "y"] },
        new CharacterConvolution { Name = "characters", Inputs = ["k"], Axis = "out", CharacterAxis = "more", Span = 2 },
        new Concat { Name = "concat", Inputs = ["a", "b"] },
        new Concat { Name = "concat-of-one", Inputs = ["a"] },
        new Concat { Name = "concat-twice", Inputs = ["va", "va"] },
        new Concat { Name = "concat-with-field", Inputs = ["x", "a"] },
        new Dropout { Name = "dropout", Inputs = ["a"], Stream = 3 },
        new Dropout { Name = "dropout-of-vector", Inputs = ["va"], Stream = 3 },
        new Dropout { Name = "dropout-of-field", Inputs = ["x"], Stream = 3 },
        new Embedding { Name = "embedding", Inputs = ["t"], Axis = "out" },
        new Highway { Name = "highway", Inputs = ["a", "b", "c"] },
        new Highway { Name = "highway-of-vectors", Inputs = ["va", "vb", "va"] },
        new Highway { Name = "highway-of-field", Inputs = ["a", "b", "x"] },
        new Highway { Name = "highway-of-fields", Inputs = ["x", "a", "x"] },
        new LastStep { Name = "last", Inputs = ["a"] },
        new LastStep { Name = "first", Inputs = ["a"], IsReverse = true },
        new LastStep { Name = "last-of-field", Inputs = ["x"] },
        new LastStep { Name = "first-of-field", Inputs = ["x"], IsReverse = true },
        new Linear { Name = "linear", Inputs = ["a"], Axes = ["out"] },
        new Linear { Name = "linear-of-vector", Inputs = ["va"], Axes = ["out", "more"] },
        new Linear { Name = "linear-of-field", Inputs = ["x"], Axes = ["out"] },
        new MeanOverSteps { Name = "mean", Inputs = ["a"] },
        new MeanOverSteps { Name = "mean-of-field", Inputs = ["x"] },
        new Multiply { Name = "product", Inputs = ["a", "b"] },
        new Multiply { Name = "square", Inputs = ["a", "a"] },
        new Multiply { Name = "product-of-vectors", Inputs = ["va", "vb"] },
        new Multiply { Name = "product-with-field", Inputs = ["x", "a"] },
        new Recurrent { Name = "irnn", Inputs = ["a"], Cell = Cell.Irnn, Axis = "out" },
        new Recurrent { Name = "tanh-rnn", Inputs = ["a"], Cell = Cell.RnnTanh, Axis = "out", IsReverse = true },
        new Recurrent { Name = "lstm", Inputs = ["a"], Cell = Cell.Lstm, Axis = "out" },
        new Recurrent { Name = "lstm-from-the-end", Inputs = ["x"], Cell = Cell.Lstm, Axis = "out", IsReverse = true },
        new Recurrent { Name = "gru", Inputs = ["a"], Cell = Cell.Gru, Axis = "out" },
        new Recurrent { Name = "gru-reset-before", Inputs = ["a"], Cell = Cell.GruResetBefore, Axis = "out" },
        new Recurrent { Name = "lstm-peephole", Inputs = ["a"], Cell = Cell.LstmPeephole, Axis = "out", IsReverse = true },
        new Recurrent { Name = "gru-of-rank-2", Inputs = ["a"], Cell = Cell.Gru, Axis = "out", Rank = 2 },
        new SoftmaxOverSteps { Name = "shares", Inputs = ["s"] },
        new StepScores { Name = "scores", Inputs = ["s"] },
    ];

    public static TheoryData<string> Names => [.. All.Select(module => module.Name)];

    public void Dispose() => host.Dispose();

    [Fact]
    public void Every_type_of_module_is_tested() => Assert.Equal(
        typeof(Module).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Module))).Select(type => type.Name).Order(),
        All.Select(module => module.GetType().Name).Distinct().Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradients_agree_with_finite_differences_and_padding_never_counts(string name) => ForEachGraph(name, (network, what, lengths) =>
    {
        using ModuleBatch batch = new(host, network.Graph, lengths);
        float[] gradient = Run(network, batch, out float[][] outputs);

        // Again, from outputs that the loss has overwritten: what a pass leaves behind does not count.
        Assert.Equal(gradient, Run(network, batch, out float[][] again, fromOutputs: true));
        Assert.Equal(outputs, again);
        KinkedDifferences.Check(gradient, network.Parameters, () => batch.Loss(Forward(network, batch)), what);
        if (!lengths) return;
        using ModuleBatch other = batch.WithOtherPadding();
        float[] same = Run(network, other, out float[][] others);
        Close.Equal(gradient, same, 1e-6, 1e-6, $"{what}: gradients with other padding");
        for (int i = 0; i < outputs.Length; i++)
            Close.Equal(batch.Valid(i, outputs[i]), batch.Valid(i, others[i]), 1e-6, 1e-6, $"{what}: output {i} with other padding");
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void Devices_agree(string name) => ForEachGraph(name, (network, what, lengths) =>
    {
        using ModuleBatch batch = new(host, network.Graph, lengths), copy = new(simulator.Backend, network.Graph, lengths);
        using Network twin = new(network.Recipe, simulator.Backend);
        twin.Parameters.Values.CopyFrom<float>(network.Parameters.Values.ToArray());
        float[] gradient = Run(network, batch, out float[][] outputs), other = Run(twin, copy, out float[][] others, fromOutputs: true);

        // Two orders of summing a few products through a few steps: some ten roundings of numbers of about 1.
        for (int i = 0; i < outputs.Length; i++) Close.Equal(batch.Valid(i, outputs[i]), batch.Valid(i, others[i]), 1e-5, 1e-5, $"{what}: output {i}");
        Close.Equal(gradient, other, 1e-4, 2e-5, $"{what}: gradients");
    });

    private static float[][] Forward(Network network, ModuleBatch batch)
    {
        network.Forward(batch.Fields, isTraining: true, new DropoutMask(0.4f, 5, 1));
        return [.. Enumerable.Range(0, network.Graph.Outputs.Count).Select(i => network.Output(i).ToArray())];
    }

    // One step: the outputs, and the gradient of all parameters.
    private static float[] Run(Network network, ModuleBatch batch, out float[][] outputs, bool fromOutputs = false)
    {
        outputs = Forward(network, batch);
        network.Backend.Fill(network.Parameters.Gradients, 0);
        if (fromOutputs)
        {
            for (int i = 0; i < outputs.Length; i++) network.Output(i).CopyFrom<float>(batch.OutputGradients[i]);
            network.BackwardFromOutputs();
        }
        else
        {
            Tensor[] gradients = [.. batch.OutputGradients.Select((own, i) => network.Backend.Allocate(network.Output(i).Shape))];
            for (int i = 0; i < gradients.Length; i++) gradients[i].CopyFrom<float>(batch.OutputGradients[i]);
            network.Backward(gradients);
            foreach (Tensor gradient in gradients) gradient.Dispose();
        }

        return network.Parameters.Gradients.ToArray();
    }

    private void ForEachGraph(string name, Action<Network, string, bool> check)
    {
        Module module = All.Single(module => module.Name == name);
        foreach (Producer producer in Enum.GetValues<Producer>())
        {
            foreach (bool isShared in (bool[])[false, true])
            {
                foreach (Fate fate in Enum.GetValues<Fate>())
                {
                    GraphRecipe recipe = ModuleGraph.Around(module, producer, isShared, fate);
                    foreach (bool lengths in (bool[])[false, true])
                    {
                        using Network network = new(recipe, host);
                        int seed = 11;
                        foreach (ParameterSpec slot in network.Parameters.Slots)
                            network.Parameters.Write(slot.Name, Numbers.Normal(slot.Shape.Count, seed++, slot.Shape.Rank == 1 ? 0.3 : 0.5));
                        string readers = isShared ? "inputs read by others too" : "sole reader";
                        check(network, $"{name} of {producer}, {readers}, {fate}, {(lengths ? "with" : "no")} lengths", lengths);
                    }
                }
            }
        }
    }
}
