using CsCheck;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Execution;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>What holds of every graph, on random ones.</summary>
public sealed class RandomGraphTests : IDisposable
{
    private static readonly Gen<(int Modules, int Seed)> Graphs = Gen.Select(Gen.Int[1, 12], Gen.Int[0, 1_000_000]);
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Fact]
    public void The_sliced_network_gives_the_outputs_of_the_masked_one() => Graphs.Sample(
        (modules, seed) =>
        {
            using Network network = RandomGraph.Create(RandomGraph.Make(modules, seed), host, seed);
            PruningPlan plan = RandomGraph.Plan(network.Graph, seed);

            using Network sliced = Slicer.Slice(network, plan), masked = MaskedNetwork.Create(network, plan);

            foreach (bool hasLengths in (bool[])[false, true])
            {
                using ModuleBatch batch = new(host, network.Graph, hasLengths);
                masked.Forward(batch.Fields);
                sliced.Forward(batch.Fields);
                for (int i = 0; i < network.Graph.Outputs.Count; i++)
                {
                    float[] expected = batch.Valid(i, masked.Output(i).ToArray()), actual = batch.Valid(i, sliced.Output(i).ToArray());
                    double largest = Math.Max(1, expected.Max(Math.Abs)); // twelve modules in a row at most, of some ten roundings each
                    Close.Equal(expected, actual, 0, 1e-4 * largest, $"output {network.Graph.Outputs[i].Name} of {network.Recipe.ToJson()}");
                }
            }

            for (int i = 0; i < plan.Axes.Count; i++) Assert.Equal(plan.Axes[i].Kept.Length, sliced.Graph.Axis(network.Graph.PrunableAxes[i].Name).Size);
        },
        iter: 1000,
        threads: 1);

    [Fact]
    public void Its_JSON_says_it_all() => Graphs.Sample(
        (modules, seed) =>
        {
            GraphRecipe recipe = RandomGraph.Make(modules, seed);
            Recipe read = Recipe.FromJson(recipe.ToJson());

            Assert.Equal(recipe, read);
            Assert.Equal(recipe.ToJson(), read.ToJson());
            Assert.Equal(recipe.Build().Parameters, read.Build().Parameters);
        },
        iter: 400,
        threads: 1);

    [Fact]
    public void Gradients_agree_with_finite_differences() => Graphs.Sample(
        (modules, seed) =>
        {
            GraphRecipe recipe = RandomGraph.Make(modules, seed);
            using Network network = RandomGraph.Create(recipe, host, seed);
            if (network.Parameters.Count == 0) return;
            using ModuleBatch batch = new(host, network.Graph, hasLengths: seed % 2 == 0);
            DropoutMask mask = new(seed % 3 == 0 ? 0.3f : 0, 5, 1);
            int outputs = network.Graph.Outputs.Count;

            network.Forward(batch.Fields, isTraining: true, mask);
            for (int i = 0; i < outputs; i++) network.Output(i).CopyFrom<float>(batch.OutputGradients[i]);
            network.BackwardFromOutputs();

            Dictionary<string, (Tensor, float[])> places = [];
            foreach (ParameterSpec slot in network.Parameters.Slots)
            {
                int at = seed % (int)slot.Shape.Count;
                places.Add(slot.Name, (network.Parameters.Values.View(slot.Offset + at, 1), [network.Parameters.Gradient(slot.Name).ToArray()[at]]));
            }

            KinkedDifferences.Check(
                places,
                () =>
                {
                    network.Forward(batch.Fields, isTraining: true, mask);
                    return batch.Loss([.. Enumerable.Range(0, outputs).Select(i => network.Output(i).ToArray())]);
                },
                recipe.ToJson(),
                mostKinks: 1);
        },
        iter: 400,
        threads: 1);

    [Fact]
    public void Gradients_that_are_needed_at_one_time_lie_apart() => Graphs.Sample(
        (modules, seed) =>
        {
            Graph graph = RandomGraph.Make(modules, seed).Build();
            using ModuleBatch batch = new(host, graph, hasLengths: seed % 2 == 0);
            MemoryPlan plan = new(graph, new PassShape(batch.Fields, isTraining: true, drops: seed % 3 == 0));

            // The time of a module's backward pass is its place: a gradient is there from that of its last reader, or from the start, down to the
            // module's own, where it may become that of the module's first input if the module can do that.
            Dictionary<string, int> from = [];
            foreach (Node node in graph.Nodes.Reverse()) from[node.Output.Name] = From(node.Output);
            (string Name, int Block, int From, int To)[] lives =
            [
                .. plan.Gradients.Where(pair => graph.Nodes.Any(node => node.Output.Name == pair.Key))
                    .Select(pair => (pair.Key, pair.Value, from[pair.Key], graph.Node(pair.Key).Index)),
                .. graph.Nodes.SelectMany(node => plan.Edges[node.Index].Where(block => block >= 0).Select(block => ($"into {node}", block, node.Index, node.Index))),
            ];
            for (int i = 0; i < lives.Length; i++)
            {
                for (int j = 0; j < lives.Length; j++)
                {
                    if (i == j || lives[i].Block != lives[j].Block || lives[i].To > lives[j].From || lives[j].To > lives[i].From) continue;
                    (string earlier, string later) = lives[i].To > lives[j].To ? (lives[i].Name, lives[j].Name) : (lives[j].Name, lives[i].Name);
                    bool isHandedOn = graph.Nodes.Any(node => node.Module.Name == earlier && node.Module.GoesBackInPlace && plan.Root(node.Inputs[0].Name) == later);
                    Assert.True(isHandedOn, $"{lives[i]} and {lives[j]} share a block in {RandomGraph.Make(modules, seed).ToJson()}");
                }
            }

            int From(Value value)
            {
                string root = plan.Root(value.Name);
                if (graph.Outputs.Any(output => plan.Root(output.Name) == root)) return graph.Nodes.Count;
                IEnumerable<Node> readers = graph.Nodes.Where(
                    node => plan.Placements[node.Index] != Placement.Input && node.Inputs.Any(input => plan.Root(input.Name) == root));
                return readers.Select(node => plan.SharesGradient[node.Index] ? from[node.Output.Name] : node.Index).DefaultIfEmpty(-1).Max();
            }
        },
        iter: 1000,
        threads: 1);
}
