using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Proof;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>Graphs of several nodes, bodies, states that come back, and weights that are made in the graph.</summary>
public class StructureTests
{
    private const int Steps = 8, Inputs = 3, Hidden = 10;

    [Fact]
    public void A_graph_that_keeps_everything_is_the_same() => With(Stack(), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, compression =>
    {
        GraphProof proof = compression.Prove(compression.Compress(compression.OfShare(1)), rounds: 0);

        Assert.All(proof.Outputs, output => Assert.Equal(0, output.MaxDifference));
    });

    [Fact]
    public void Layers_of_a_stack_keep_different_numbers() => With(Stack(), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, compression =>
    {
        SmallGraph graph = compression.Compress(compression.OfSize(KeepSize.Parse("7x4")));
        GraphProof proof = compression.Prove(graph, rounds: 0);

        Assert.Equal([7, 4], proof.Nodes.Select(node => node.After));
        Assert.Equal([7, 4], Units(graph.File));
        Assert.InRange(proof.Outputs[0].MeanDifference, 1e-6, 0.5);
        Assert.Equal(2, proof.HeldOut);
    });

    /// <summary>Every unit has a twin with the same rows, and both are read with half the weight: half of the units say everything.</summary>
    [Fact]
    public void A_node_of_twins_is_halved_without_loss()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("LSTM", "cell", "x", Inputs, Hidden);
        Twin(maker, "cell");
        With(maker.Output("cell_y").ToFile(), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, compression =>
        {
            GraphProof proof = compression.Prove(compression.Compress([Hidden / 2]), rounds: 0);

            // The ridge of 1e-3 takes about so much off every weight that stands for a twin.
            Assert.True(proof.Outputs[0].MaxDifference < 0.01, $"{proof.Outputs[0].MaxDifference}");
        });
    }

    [Fact]
    public void Units_in_branches_of_an_If_are_cut_and_twins_share_their_weights()
    {
        GraphMaker Branch(string name) => new GraphMaker().Recurrent("GRU", name, "x", Inputs, Hidden).Output($"{name}_y");
        GraphMaker yes = Branch("yes"), no = Branch("no"); // the same seed: the same weights
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Condition("which").Output("y", Steps, 1, 1, Hidden);
        maker.Node("If", ["which"], ["y"], Body("then_branch", yes.Graph), Body("else_branch", no.Graph));
        CallOptions options = CallOptions.Parse(["which=true"], []);
        With(maker.ToFile(), Runs.Data("x", 10, Steps, 1, Inputs), options, compression =>
        {
            SmallGraph graph = compression.Compress([6]);
            GraphProof proof = compression.Prove(graph, rounds: 0);

            Assert.Equal([6, 6], Units(graph.File));
            Assert.Equal([6, 6], proof.Nodes.Select(node => node.After));
            Assert.Single(OnnxModel(graph.File).Graph.Initializer, tensor => tensor.Name.EndsWith("/R_18", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void A_branch_that_did_not_run_stays_as_it_is()
    {
        GraphMaker yes = new GraphMaker().Recurrent("RNN", "yes", "x", Inputs, Hidden).Output("yes_y");
        GraphMaker no = new GraphMaker().Constant("other", [4]).Recurrent("RNN", "no", "x", Inputs, Hidden).Output("no_y");
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Condition("which").Output("y", Steps, 1, 1, Hidden);
        maker.Node("If", ["which"], ["y"], Body("then_branch", yes.Graph), Body("else_branch", no.Graph));
        With(maker.ToFile(), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.Parse(["which=1"], []), compression =>
        {
            GraphProof proof = compression.Prove(compression.Compress([6]), rounds: 0);

            Assert.Equal([6, Hidden], proof.Nodes.Select(node => node.After));
            Assert.Equal(0, proof.Nodes[1].Steps);
        });
    }

    [Fact]
    public void A_state_that_goes_out_comes_back_exactly()
    {
        // One step a call; the state is an input and an output.
        GraphMaker maker = new GraphMaker().Input("x", 1, 1, Inputs).Input("h", 1, 1, Hidden);
        maker.Recurrent("GRU", "cell", "x", Inputs, Hidden, states: ["h"], outputs: ["y", "hn"]).Output("y", 1, 1, 1, Hidden).Output("hn", 1, 1, Hidden);
        CallOptions options = CallOptions.Parse([], ["hn=h"]);
        With(maker.ToFile(), Runs.Data("x", 10, Steps, 1, 1, Inputs), options, compression =>
        {
            byte[] small = compression.Compress([6]).File;
            float[] x = Runs.Data("x", Steps, Inputs)["x"].As<float>(), state = new float[Hidden];
            List<float> streamed = [];
            for (int t = 0; t < Steps; t++)
            {
                Dictionary<string, (long[] Shape, float[] Values)> step =
                    Runs.Once(small, ("x", [1, 1, Inputs], x[(t * Inputs)..((t + 1) * Inputs)]), ("h", [1, 1, Hidden], state));
                streamed.AddRange(step["y"].Values);
                state = step["hn"].Values;
            }

            // The same weights over the whole sequence at once.
            ModelProto whole = OnnxModel(small);
            whole.Graph.Input[0] = new GraphMaker().Input("x", Steps, 1, Inputs).Graph.Input[0];
            whole.Graph.Output[0] = new GraphMaker().Output("y", Steps, 1, 1, Hidden).Graph.Output[0];
            float[] once = Runs.Once(Google.Protobuf.MessageExtensions.ToByteArray(whole), ("x", [Steps, 1, Inputs], x), ("h", [1, 1, Hidden], new float[Hidden]))["y"].Values;
            Runs.Close(once, streamed.ToArray(), 1e-5);
        });
    }

    [Fact]
    public void States_of_a_Loop_are_seen_and_cut()
    {
        GraphMaker body = new GraphMaker().Recurrent("RNN", "cell", "x", Inputs, Hidden, states: ["state"], outputs: ["", "next"]);
        body.IntegerInput("i").Condition("go").Input("state", 1, 1, Hidden);
        body.Node("Identity", ["go"], ["on"]).Output("on").Output("next", 1, 1, Hidden);
        body.Graph.Output[0] = new ValueProto { Name = "on" };
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Constant("first", [1, 1, Hidden], 0.1f).Integers("count", 3).Output("y", 1, 1, Hidden);
        maker.Node("Loop", ["count", "", "first"], ["y"], Body("body", body.Graph));
        With(maker.ToFile(), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, compression =>
        {
            SmallGraph graph = compression.Compress([6]);
            GraphProof proof = compression.Prove(graph, rounds: 0);

            Assert.Equal([6], Units(graph.File));
            Assert.Equal(6 * 3 * Steps, proof.Nodes[0].Steps); // sequences, iterations, steps
        });
    }

    [Fact]
    public void Weights_that_the_graph_makes_are_folded_and_taken_out()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("RNN", "cell", "x", Inputs, Hidden).Output("cell_y");
        TensorProto r = maker.Graph.Initializer.First(tensor => tensor.Name == "cell_r");
        r.Name = "flat";
        r.Dims.Clear();
        r.Dims.Add([Hidden, Hidden]);
        maker.Integers("axis", 0);
        maker.Graph.Node.Insert(0, new NodeProto { OpType = "Unsqueeze", Input = { "flat", "axis" }, Output = { "cell_r" } });
        With(maker.ToFile(), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, compression =>
        {
            ModelProto small = OnnxModel(compression.Compress([6]).File);

            Assert.DoesNotContain(small.Graph.Node, node => node.OpType == "Unsqueeze");
            Assert.DoesNotContain(small.Graph.Initializer, tensor => tensor.Name == "flat");
        });
    }

    [Fact]
    public void The_least_size_within_a_tolerance_is_found() => With(Stack(), Runs.Data("x", 20, Steps, 1, Inputs), CallOptions.None, compression =>
    {
        const double tolerance = 0.05;
        SmallGraph graph = compression.Search(tolerance);

        Assert.True(graph.Keep[0] < Hidden);
        Assert.True(compression.Prove(graph, rounds: 0).Outputs.Max(output => output.MeanDifference) <= tolerance);
    });

    [Fact]
    public void One_budget_goes_where_units_are_dear()
    {
        // The first layer's units are twins: half of them cost nothing.
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("LSTM", "first", "x", Inputs, Hidden);
        Twin(maker, "first");
        maker.Integers("axis", 1).Node("Squeeze", ["first_y", "axis"], ["between"]);
        maker.Recurrent("LSTM", "second", "between", Hidden, Hidden).Output("second_y");
        With(maker.ToFile(), Runs.Data("x", 20, Steps, 1, Inputs), CallOptions.None, compression =>
        {
            int[] keep = compression.OfSharedBudget(0.7), equal = compression.OfShare(0.7);
            long Weights(int[] units) => units[0] * (Inputs + units[0]) + units[1] * (Hidden + units[1]);

            Assert.True(keep[0] < keep[1], string.Join('x', keep));
            Assert.True(Weights(keep) <= Weights(equal));
            double Lost(int[] units) => compression.Compress(units).JudgedDifference;
            Assert.True(Lost(keep) < Lost(equal), $"{Lost(keep)} against {Lost(equal)}");
        });
    }

    [Fact]
    public void States_shrink_where_that_is_asked_for()
    {
        GraphMaker maker = new GraphMaker().Input("x", 1, 1, Inputs).Input("h", 1, 1, Hidden).Input("c", 1, 1, Hidden);
        maker.Recurrent("LSTM", "cell", "x", Inputs, Hidden, states: ["h", "c"], outputs: ["y", "hn", "cn"]);
        maker.Output("y", 1, 1, 1, Hidden).Output("hn", 1, 1, Hidden).Output("cn", 1, 1, Hidden);
        CallOptions options = CallOptions.Parse([], ["hn=h", "cn=c"]);
        Runs.WithFile(maker.ToFile(), path =>
        {
            Dictionary<string, NamedArray> data = Runs.Data("x", 10, Steps, 1, 1, Inputs);
            using GraphCompression whole = new(path, data, options), small = new(path, data, options) { ShrinksState = true };
            SmallGraph large = whole.Compress([6]), graph = small.Compress([6]);
            ModelProto model = OnnxModel(graph.File);
            IEnumerable<ValueProto> states = model.Graph.Input.Skip(1).Concat(model.Graph.Output.Skip(1));
            Assert.All(states, state => Assert.Equal(6, state.Type.TensorType.Shape.Dim[^1].DimValue));
            Assert.DoesNotContain(model.Graph.Node, node => node.OpType == "Gather");
            Assert.Equal(large.JudgedDifference, graph.JudgedDifference, 1e-6); // the same numbers in another order
            Assert.Equal("y", Assert.Single(small.Prove(graph, rounds: 0).Outputs).Name);
        });
    }

    [Fact]
    public void A_state_that_is_read_elsewhere_does_not_shrink()
    {
        GraphMaker maker = new GraphMaker().Input("x", 1, 1, Inputs).Input("h", 1, 1, Hidden);
        maker.Recurrent("GRU", "cell", "x", Inputs, Hidden, states: ["h"], outputs: ["", "hn"]);
        maker.Node("Relu", ["h"], ["before"]).Output("before").Output("hn", 1, 1, Hidden);
        Runs.WithFile(maker.ToFile(), path =>
        {
            CallOptions options = CallOptions.Parse([], ["hn=h"]);
            using GraphCompression compression = new(path, Runs.Data("x", 10, Steps, 1, 1, Inputs), options) { ShrinksState = true };
            Assert.Contains("the input h is not", Assert.Throws<InvalidCallException>(() => compression.Compress([6])).Message);
        });
    }

    [Fact]
    public void An_input_that_only_chooses_is_tried_with_every_value()
    {
        With(Rates(Hidden), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, compression =>
        {
            Assert.Equal("sr=8000, 16000", compression.Chosen);
            GraphProof proof = compression.Prove(compression.Compress(compression.OfShare(0.5)), rounds: 0);
            Assert.Equal([5, 5], proof.Nodes.Select(node => node.After));
            Assert.Equal(proof.Nodes[0].Steps, proof.Nodes[1].Steps);
        });
        With(Rates(Hidden), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.Parse(["sr=8000"], []), compression =>
        {
            Assert.Null(compression.Chosen);
            Assert.Equal("low", Assert.Single(compression.Layers).Name[..3]);
        });
        With(Rates(Hidden), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.Parse(["sr=16000,8000"], []), compression =>
            Assert.Equal(2, compression.Layers.Count));
    }

    [Fact]
    public void Data_that_do_not_suit_every_value_are_refused()
    {
        // The branch of 8000 wants one input more.
        InvalidCallException error = Assert.Throws<InvalidCallException>(
            () => With(Rates(Hidden, more: 1), Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None, _ => { }));
        Assert.Contains("`Fixed` sr=16000", error.Message);
    }

    [Fact]
    public void Streaming_twice_over_chunks_is_once_over_the_whole()
    {
        GraphMaker maker = new GraphMaker().Input("x", 0, 1, Inputs).Input("h", 1, 1, Hidden).Input("c", 1, 1, Hidden).Constant("w", [Hidden, 2]);
        maker.Recurrent("LSTM", "cell", "x", Inputs, Hidden, states: ["h", "c"], outputs: ["y", "hn", "cn"]).Node("MatMul", ["y", "w"], ["p"]);
        maker.Output("p").Output("hn", 1, 1, Hidden).Output("cn", 1, 1, Hidden);
        Runs.WithFile(maker.ToFile(), path =>
        {
            CallOptions options = CallOptions.Parse([], ["hn=h", "cn=c"]);
            using GraphCompression compression = new(path, Runs.Data("x", 10, 3, Steps, 1, Inputs), options) { Refine = RefinementBudget.OfSteps(20) };
            byte[] small = compression.Compress([6]).File;
            float[] x = Runs.Data("x", 2 * Steps, Inputs)["x"].As<float>(), zero = new float[Hidden];
            long[] state = [1, 1, Hidden];
            Dictionary<string, (long[] Shape, float[] Values)> Call(float[] part, float[] h, float[] c) =>
                Runs.Once(small, ("x", [part.Length / Inputs, 1, Inputs], part), ("h", state, h), ("c", state, c));

            Dictionary<string, (long[] Shape, float[] Values)> once = Call(x, zero, zero), first = Call(x[..(5 * Inputs)], zero, zero);
            Dictionary<string, (long[] Shape, float[] Values)> second = Call(x[(5 * Inputs)..], first["hn"].Values, first["cn"].Values);

            // The same operations in the same order, save those of products over fewer rows at once.
            Runs.Close(once["p"].Values, [.. first["p"].Values, .. second["p"].Values], 1e-5);
            foreach (string name in (string[])["hn", "cn"]) Runs.Close(once[name].Values, second[name].Values, 1e-5);
        });
    }

    // An If of an If: 16000, 8000, or nothing but zeros.
    private static byte[] Rates(int hidden, int more = 0)
    {
        GraphProto none = new GraphMaker().Constant("nothing", [Steps, 1, 1, hidden], 0).Node("Identity", ["nothing"], ["none_y"])
            .Output("none_y").Graph;
        GraphProto low = new GraphMaker().Constant("spare", [3]).Recurrent("RNN", "low", "x", Inputs + more, hidden).Output("low_y").Graph;
        GraphMaker other = new GraphMaker().Node("Equal", ["sr", "eight"], ["is8"]);
        GraphProto rest = other.Node("If", ["is8"], ["rest_y"], Body("then_branch", low), Body("else_branch", none)).Output("rest_y").Graph;
        GraphProto high = new GraphMaker().Recurrent("RNN", "high", "x", Inputs, hidden).Output("high_y").Graph;
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, 0).IntegerInput("sr", 1).Integers("eight", 8000).Integers("sixteen", 16000);
        maker.Node("Equal", ["sr", "sixteen"], ["is16"]).Node("If", ["is16"], ["y"], Body("then_branch", high), Body("else_branch", rest));
        return maker.Output("y").ToFile();
    }

    private static void Twin(GraphMaker maker, string cell)
    {
        foreach (string name in (string[])["w", "r", "b"])
        {
            TensorProto tensor = maker.Graph.Initializer.First(tensor => tensor.Name == $"{cell}_{name}");
            float[] values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
            int row = name == "b" ? 1 : (int)tensor.Dims[2];
            for (int i = 0; i < values.Length / row; i += 2) values.AsSpan(i * row, row).CopyTo(values.AsSpan((i + 1) * row));
            tensor.RawData = Tensors.Create(name, [values.Length], values).RawData;
        }
    }

    private static byte[] Stack() => new GraphMaker().Input("x", Steps, 1, Inputs)
        .Recurrent("LSTM", "first", "x", Inputs, Hidden)
        .Integers("axis", 1)
        .Node("Squeeze", ["first_y", "axis"], ["between"])
        .Recurrent("GRU", "second", "between", Hidden, Hidden)
        .Node("Relu", ["second_y"], ["out"])
        .Output("out", Steps, 1, 1, Hidden)
        .ToFile();

    private static AttributeProto Body(string name, GraphProto graph) => new() { Name = name, Type = 5, G = graph };

    private static ModelProto OnnxModel(byte[] file) => ModelProto.Parser.ParseFrom(file);

    private static int[] Units(byte[] file) => [.. RecurrentNode.FindAll(OnnxModel(file)).Select(node => (int)Attributes.Integer(node.Node, "hidden_size", 0))];

    private static void With(byte[] graph, IReadOnlyDictionary<string, NamedArray> data, CallOptions options, Action<GraphCompression> use) =>
        Runs.WithFile(graph, path =>
        {
            using GraphCompression compression = new(path, data, options);
            use(compression);
        });
}
