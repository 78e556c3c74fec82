using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;
using HostBackend = GpuSpectralRnn.Compute.Host.HostBackend;

namespace GpuSpectralRnn.Tests.Networks;

[Collection("ilgpu-cpu")]
public sealed class UnitGatesTests(IlgpuCpuDevice simulator) : IDisposable
{
    private readonly HostBackend host = new(2);

    // Two axes side by side before a layer, one of them read twice there; a matrix of rank 2; one matrix that reads two axes and is a table too.
    private static readonly GraphRecipe Recipe = new()
    {
        Fields = [new Field { Name = "t", Vocabulary = ModuleGraph.Vocabulary }],
        Axes = new Dictionary<string, int> { ["word"] = 4, ["low"] = 4, ["reverse"] = 3, ["top"] = 4, ["between"] = 5, ["out"] = ModuleGraph.Vocabulary },
        Modules =
        [
            new Embedding { Name = "words", Inputs = ["t"], Axis = "word", Weight = "table" },
            new Recurrent { Name = "low", Inputs = ["words"], Cell = Cell.Gru, Axis = "low", Rank = 2 },
            new Recurrent { Name = "reverse", Inputs = ["words"], Cell = Cell.Lstm, Axis = "reverse", IsReverse = true },
            new Concat { Name = "sides", Inputs = ["low", "reverse", "low"] },
            new Linear { Name = "between", Inputs = ["sides"], Axes = ["between"] },
            new Activation { Name = "tanh", Inputs = ["between"], Kind = ActivationKind.Tanh },
            new Recurrent { Name = "top", Inputs = ["tanh"], Cell = Cell.LstmPeephole, Axis = "top" },
            new Linear { Name = "end", Inputs = ["top"], Axes = ["out"], Weight = "table" },
        ],
        Outputs = ["end"],
    };

    public void Dispose() => host.Dispose();

    public static TheoryData<string[]> Gated => new(["low"], ["reverse"], ["word"], ["between"], ["top"], ["low", "reverse", "top"], ["top", "word", "between", "low", "low"]);

    [Theory]
    [MemberData(nameof(Gated))]
    public void A_gated_network_is_the_one_with_scaled_columns_and_the_sliced_one(string[] axes)
    {
        using Network network = RandomGraph.Create(Recipe, host, 3), scaled = RandomGraph.Create(Recipe, host, 3);
        using ModuleBatch batch = new(host, network.Graph, hasLengths: true);
        network.Forward(batch.Fields); // bound before there are gates
        Dictionary<string, float[]> z = [];
        for (int i = 0; i < axes.Length; i++)
        {
            UnitGates gates = network.Parameters.AddGates(axes[i]);
            float[] own = Numbers.Normal(gates.Axis.Size, 40 + i);
            own[1] = 0;
            gates.Values.CopyFrom<float>(own);
            z[axes[i]] = z.TryGetValue(axes[i], out float[]? before) ? [.. before.Zip(own, (a, b) => a * b)] : own;
        }

        float[] outputs = batch.Valid(0, network.Forward(batch.Fields).ToArray());

        // The same by a plan that keeps every unit, and by one that keeps the open ones.
        UnitPlan[] open = [.. network.Graph.PrunableAxes.Select(axis => z.TryGetValue(axis.Name, out float[]? own) ? UnitPlan.OfGates(own) : UnitPlan.Whole(axis.Units))];
        UnitPlan[] all = [.. open.Select(plan => plan.Fold is null ? plan : UnitPlan.Whole(plan.Units) with { Fold = plan.Fold * plan.Spread() })];
        using Network sliced = Slicer.Slice(network, new PruningPlan("gates", open)), multiplied = MaskedNetwork.Create(scaled, new PruningPlan("gates", all));
        Close.Equal(batch.Valid(0, multiplied.Forward(batch.Fields).ToArray()), outputs, 1e-5, 1e-5, "scaled");
        Close.Equal(batch.Valid(0, sliced.Forward(batch.Fields).ToArray()), outputs, 1e-5, 1e-5, "sliced");
        foreach (string axis in z.Keys) Assert.Equal(network.Graph.Axis(axis).Size - 1, sliced.Graph.Axis(axis).Size);
    }

    [Theory]
    [MemberData(nameof(Gated))]
    public void Gradients_agree_with_finite_differences_and_between_devices(string[] axes)
    {
        using Network network = RandomGraph.Create(Recipe, host, 3), twin = RandomGraph.Create(Recipe, simulator.Backend, 3);
        using ModuleBatch batch = new(host, network.Graph, hasLengths: true), copy = new(simulator.Backend, network.Graph, hasLengths: true);
        UnitGates[] gates = Add(network, axes), twins = Add(twin, axes);

        Dictionary<string, (Tensor, float[])> places = Gradients(network, batch, gates), others = Gradients(twin, copy, twins);

        foreach ((string name, (_, float[] gradient)) in places) Close.Equal(gradient, others[name].Item2, 1e-4, 2e-5, name);
        KinkedDifferences.Check(places, () => batch.Loss([network.Forward(batch.Fields, isTraining: true).ToArray()]), string.Join(", ", axes), mostKinks: 0);
    }

    [Fact]
    public void Without_the_gates_everything_is_as_before()
    {
        using Network network = RandomGraph.Create(Recipe, host, 3);
        using ModuleBatch batch = new(host, network.Graph, hasLengths: true);
        float[] before = network.Forward(batch.Fields).ToArray();
        UnitGates[] gates = Add(network, ["low", "top", "low"]);
        float[] gated = network.Forward(batch.Fields).ToArray();
        Assert.Throws<InvalidCallException>(network.Parameters.RefuseGates);

        // What stands behind those that go is connected anew.
        network.Parameters.RemoveGates(gates[0]);
        gates[1].Values.CopyFrom<float>([1, 1, 1, 1]);
        gates[2].Values.CopyFrom<float>([1, 1, 1, 1]);
        float[] ones = network.Forward(batch.Fields).ToArray();
        network.Parameters.RemoveGates(gates[2]);
        network.Parameters.RemoveGates(gates[1]);

        Assert.NotEqual(before, gated);
        Assert.Equal(before, ones);
        Assert.Equal(before, network.Forward(batch.Fields).ToArray());
        network.Parameters.RefuseGates();
        Assert.Throws<ArgumentException>(() => network.Parameters.RemoveGates(gates[0]));
        network.Forward(batch.Fields, isTraining: true);
        network.Parameters.AddGates("low");
        Assert.Throws<InvalidOperationException>(() => network.BackwardFromOutputs());
    }

    [Fact]
    public void Axes_that_are_not_read_through_weights_alone_are_refused()
    {
        using Network reader = new(ReaderGraphTests.Recipe, host);

        foreach (string axis in (string[])["word", "gate", "forward", "reverse", "asked"])
            Assert.Contains($"Gates on {axis}", Assert.Throws<InvalidCallException>(() => reader.Parameters.AddGates(axis)).Message);
        Assert.Throws<ArgumentException>(() => reader.Parameters.AddGates("nobody"));
        Assert.Throws<ArgumentException>(() => UnitPlan.OfGates([0, 0]));
    }

    private static UnitGates[] Add(Network network, string[] axes)
    {
        UnitGates[] gates = [.. axes.Select(network.Parameters.AddGates)];
        for (int i = 0; i < gates.Length; i++)
        {
            float[] z = Numbers.Normal(gates[i].Axis.Size, 40 + i);
            z[1] = 0;
            gates[i].Values.CopyFrom<float>(z);
        }

        return gates;
    }

    // Twice: what a first backward pass left behind must not count again.
    private static Dictionary<string, (Tensor, float[])> Gradients(Network network, ModuleBatch batch, UnitGates[] gates)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            Tensor outputs = network.Forward(batch.Fields, isTraining: true);
            network.Backend.Fill(network.Parameters.Gradients, 0);
            foreach (UnitGates own in gates) network.Backend.Fill(own.Gradients, 0);
            outputs.CopyFrom<float>(batch.OutputGradients[0]);
            network.BackwardFromOutputs();
        }

        Dictionary<string, (Tensor, float[])> places =
            network.Parameters.Slots.ToDictionary(slot => slot.Name, slot => (network.Parameters[slot.Name], network.Parameters.Gradient(slot.Name).ToArray()));
        for (int i = 0; i < gates.Length; i++) places.Add($"z{i} of {gates[i].Axis.Name}", (gates[i].Values, gates[i].Gradients.ToArray()));
        return places;
    }
}
