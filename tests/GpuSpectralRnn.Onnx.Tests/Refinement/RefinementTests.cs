using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Refinement;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Onnx.Tests.Refinement;

public class RefinementTests
{
    private const int Steps = 12, Inputs = 3, Hidden = 10, Keep = 4;

    /// <summary>The network answers as the cut graph does, and gives its weights back as they came. 1e-4 is rounding of 32-bit floats.</summary>
    [Theory]
    [InlineData("RNN", 1)]
    [InlineData("RNN", 2)]
    [InlineData("LSTM", 1)]
    [InlineData("LSTM", 2)]
    [InlineData("GRU", 1)]
    [InlineData("GRU", 2)]
    [InlineData("GRU", 1, true)]
    [InlineData("GRU", 2, true)]
    public void The_network_of_a_cut_node_is_the_node(string type, int directions, bool resetsBefore = false) => With(
        new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent(type, "cell", "x", Inputs, Hidden, directions, resetsBefore: resetsBefore).Output("cell_y"),
        0,
        (compression, path) =>
        {
            NodePlan plan = compression.Plans([Keep], UnitCriterion.Both)[0]!;
            RefinedCell cell = RefinedCell.From(RecurrentNode.FindAll(OnnxFile.Load(path))[0]);
            using IBackend backend = Devices.Open("host");
            using Network network = cell.ToNetwork(plan, backend);
            float[] x = Runs.Data("x", Steps, Inputs)["x"].As<float>();
            using Tensor input = backend.Allocate(new Shape(Steps, 1, Inputs));
            input.CopyFrom<float>(x);

            // [T, D, 1, H] and [T, 1, D H] lie alike in memory.
            float[] expected = Runs.Once(compression.Patch([plan]), ("x", [Steps, 1, Inputs], x))["cell_y"].Values;
            Runs.Close(expected, network.Forward(input).ToArray(), 1e-4);
            NodePlan back = cell.ToPlan(network, plan);
            Assert.Equal(plan.Small.Input.Values, back.Small.Input.Values);
            Assert.Equal(plan.Small.Recurrent.Values, back.Small.Recurrent.Values);
            Assert.Equal(plan.Small.Bias!.Values, back.Small.Bias!.Values);
        });

    [Theory]
    [InlineData("RNN", 1)]
    [InlineData("LSTM", 2)]
    [InlineData("GRU", 1)]
    public void Refinement_brings_the_outputs_closer_and_keeps_units_themselves(string type, int directions)
    {
        double[] differences = new double[2];
        for (int i = 0; i < 2; i++)
        {
            GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent(type, "cell", "x", Inputs, Hidden, directions);
            With(maker.Output("cell_y"), 100 * i, (compression, _) =>
            {
                SmallGraph graph = compression.Compress([Keep]);
                differences[i] = graph.JudgedDifference;
                Assert.Equal(i == 1, graph.Criterion.EndsWith("refined", StringComparison.Ordinal));
                ModelProto small = ModelProto.Parser.ParseFrom(graph.File);
                Constant fold = Constants.Evaluate(small, new Scope(small.Graph), small.Graph.Node.First(node => node.OpType == "MatMul").Input[1]);
                for (int d = 0; d < directions; d++)
                    Assert.Equal(Keep, Enumerable.Range(0, Hidden).Count(h => Enumerable.Range(0, Keep).All(j => At(fold, d, j, h) is 0 or 1)));
            });
        }

        Assert.True(differences[1] < differences[0], $"{differences[1]} after {differences[0]}");

        static float At(Constant fold, int d, int j, int h) => fold.Values[((d * Keep) + j) * Hidden + h];
    }

    [Fact]
    public void The_tail_is_followed_through_bodies_to_the_output()
    {
        NodeTrace trace = Trace(Voice());

        Assert.Equal(2, trace.Objectives.Count); // the output, and the states that go on to the next call
        Assert.Empty(trace.Objectives[1].Tail.Modules);
        (OutputTail tail, bool isLastOnly) = trace.Objectives[0];
        Assert.Equal([typeof(PointwiseModule), typeof(LinearModule), typeof(PointwiseModule)], tail.Modules.Select(module => module.GetType()));
        Assert.True(tail.IsProbability);
        Assert.False(isLastOnly); // one step a call
        Assert.All(trace.Trajectories, lane => Assert.Equal(Steps, lane.Steps));
    }

    [Fact]
    public void A_tail_that_sees_the_last_state_alone()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("LSTM", "cell", "x", Inputs, Hidden, outputs: ["", "last"])
            .Constant("w", [Hidden, 2]).Node("MatMul", ["last", "w"], ["a"]).Node("Softmax", ["a"], ["p"]).Output("p");
        (OutputTail tail, bool isLastOnly) = Assert.Single(Trace(maker.ToFile(), CallOptions.None, Runs.Data("x", 10, Steps, 1, Inputs)).Objectives);
        Assert.True(isLastOnly);
        Assert.True(tail.IsProbability);
    }

    /// <summary>ReduceMax is no known operator: what comes before it is compared.</summary>
    [Fact]
    public void An_unknown_operator_ends_the_tail()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("LSTM", "cell", "x", Inputs, Hidden)
            .Node("Relu", ["cell_y"], ["a"]).Node("ReduceMax", ["a"], ["p"]).Output("p");
        (OutputTail tail, _) = Assert.Single(Trace(maker.ToFile(), CallOptions.None, Runs.Data("x", 10, Steps, 1, Inputs)).Objectives);
        Assert.Equal("a", tail.Value);
    }

    /// <summary>Central differences of 64-bit sums over 32-bit values are good to about 1e-3.</summary>
    [Theory]
    [InlineData("sigmoid")]
    [InlineData("softmax")]
    [InlineData("tanh")]
    public void The_gradient_through_a_tail_is_that_of_the_difference(string end)
    {
        const int rows = 3, units = 4, outputs = 2;
        Random random = new(3);
        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];
        TailModule last = end switch { "sigmoid" => PointwiseModule.Sigmoid, "softmax" => new SoftmaxModule(), _ => PointwiseModule.Tanh };
        OutputTail tail = new([PointwiseModule.Relu, new LinearModule(Draw(outputs * units), Draw(outputs)), last], new Scope(new GraphProto()), "p");
        float[] states = Draw(rows * units), wanted = tail.Apply(Draw(rows * units), rows);
        const float scale = 2;

        float[] gradient = tail.Gradient(states, wanted, rows, scale);

        for (int i = 0; i < states.Length; i++)
        {
            const float change = 1e-3f;
            double Moved(float by)
            {
                float[] moved = [.. states];
                moved[i] += by;
                return Difference(tail.Apply(moved, rows));
            }

            Assert.Equal((Moved(change) - Moved(-change)) / (2 * change), gradient[i], 1e-3);
        }

        double Difference(float[] made) => made.Select((y, j) => end switch
        {
            "sigmoid" => -(wanted[j] * Math.Log(y) + (1 - wanted[j]) * Math.Log(1 - y)),
            "softmax" => -wanted[j] * Math.Log(y),
            _ => (y - wanted[j]) * (double)(y - wanted[j]) / (2 * scale),
        }).Sum() / rows;
    }

    [Fact]
    public void A_node_that_our_networks_do_not_compute_is_named_and_cut_all_the_same() => With(
        new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "cell", "x", Inputs, Hidden, clip: 9).Output("cell_y"),
        10,
        (compression, _) =>
        {
            SmallGraph graph = compression.Compress([Keep]);
            Assert.DoesNotContain("refined", graph.Criterion);
            Assert.Contains("clips", Assert.Single(compression.NotRefined));
        });

    // As Silero VAD: one step a call, an If that only looks at shapes, Relu, Conv, Sigmoid, and the state beside it.
    private static byte[] Voice()
    {
        GraphProto Body(string name, string type) => new GraphMaker().Node(type, ["h"], [$"{name}_p"]).Output($"{name}_p").Graph;
        GraphMaker maker = new GraphMaker().Input("x", 1, 1, Inputs).Input("h0", 1, 1, Hidden)
            .Integers("zero", 0).Integers("last", -1).Integers("one", 1)
            .Recurrent("GRU", "cell", "x", Inputs, Hidden, states: ["h0"], outputs: ["", "hn"]).Node("Squeeze", ["hn", "zero"], ["h"])
            .Node("Shape", ["h"], ["shape"]).Node("Gather", ["shape", "zero"], ["extent"]).Node("Equal", ["extent", "one"], ["is"])
            .Node("If", ["is"], ["same"], Attributes.Create("then_branch", Body("yes", "Identity")), Attributes.Create("else_branch", Body("no", "Neg")))
            .Node("Unsqueeze", ["same", "last"], ["a"]).Node("Relu", ["a"], ["b"]).Constant("w", [1, Hidden, 1]).Constant("v", [1]);
        return maker.Node("Conv", ["b", "w", "v"], ["c"]).Node("Sigmoid", ["c"], ["p"]).Node("Concat", ["hn"], ["hout"], Attributes.Create("axis", 0))
            .Output("p").Output("hout", 1, 1, Hidden).ToFile();
    }

    private static NodeTrace Trace(byte[] file, CallOptions? options = null, Dictionary<string, Formats.NamedArray>? data = null)
    {
        using Microsoft.ML.OnnxRuntime.InferenceSession session = RuntimeSession.Open(file, "a graph of the tests");
        options ??= CallOptions.Parse([], ["hout=h0"]);
        GraphCalls calls = new(session, [new CalibrationSet(data ?? Runs.Data("x", 5, Steps, 1, 1, Inputs))], options);
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        RecurrentNode node = RecurrentNode.FindAll(model)[0];
        return TraceReader.Read(model, 0, NodeWeights.Read(model, node), calls, calls.Sequences, options.States.Keys.ToHashSet());
    }

    private static void With(GraphMaker maker, int steps, Action<GraphCompression, string> use) => Runs.WithFile(maker.ToFile(), path =>
    {
        using GraphCompression compression = new(path, Runs.Data("x", 30, Steps, 1, Inputs), CallOptions.None) { Refine = RefinementBudget.OfSteps(steps) };
        use(compression, path);
    });
}
