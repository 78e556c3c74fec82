using Google.Protobuf;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>Graphs for calls of one kind: Ifs on shapes and on set inputs give way to the branch that they take.</summary>
public class SpecialGraphTests
{
    private const int Steps = 6, Inputs = 3, Hidden = 8, Outputs = 2;

    /// <summary>With every unit kept the answers are those of the original to the last bit.</summary>
    [Fact]
    public void Ifs_on_shapes_and_set_inputs_are_decided() => Compress(Graph(), compression =>
    {
        SmallGraph whole = compression.Compress([Hidden]);
        ModelProto small = ModelProto.Parser.ParseFrom(whole.File);

        Assert.All(compression.Prove(whole, rounds: 0).Outputs, output => Assert.Equal(0, output.MaxDifference));
        Assert.Equal("x [6, 1, 3], rate=16", compression.SpecialFor);
        Assert.DoesNotContain(small.Graph.Node, node => node.OpType is "If" or "Shape" or "Equal");
        Assert.Equal(1, GraphWalk.Nodes(new Scope(small.Graph)).Count(pair => pair.Node.OpType == "GRU"));
        Assert.DoesNotContain(small.Graph.Initializer, tensor => tensor.Name.StartsWith("narrow", StringComparison.Ordinal));
        Assert.Equal(4, Assert.Single(compression.Prove(compression.Compress([4]), rounds: 0).Nodes).After);
    });

    /// <summary>ONNX Runtime itself refuses what the graph is not for.</summary>
    [Fact]
    public void Calls_of_another_shape_are_refused() => Compress(Graph(), compression =>
    {
        byte[] small = compression.Compress([4]).File;
        float[] x = Runs.Data("x", Steps + 1, Inputs)["x"].As<float>();
        Assert.Throws<OnnxRuntimeException>(() => Feed(small, x, Steps + 1));
        Assert.NotEmpty(Feed(small, x[..(Steps * Inputs)], Steps));
    });

    /// <summary>What depends on the numbers of an input stays, though every call of the data takes the same branch.</summary>
    [Fact]
    public void Ifs_on_numbers_stay()
    {
        GraphMaker maker = Start().Recurrent("GRU", "cell", "x", Inputs, Hidden).Node("ReduceMean", ["x"], ["level"], Attributes.Create("keepdims", 0))
            .Constant("low", [1], [-100f]);
        maker.Graph.Initializer[^1].Dims.Clear();
        maker.Node("Greater", ["level", "low"], ["which"]).Node(
            "If", ["which"], ["y"],
            Attributes.Create("then_branch", new GraphMaker().Node("Identity", ["cell_y"], ["a"]).Result("a").Graph),
            Attributes.Create("else_branch", new GraphMaker().Node("Neg", ["cell_y"], ["a"]).Result("a").Graph));
        Compress(maker.Result("y"), compression =>
            Assert.Single(ModelProto.Parser.ParseFrom(compression.Compress([4]).File).Graph.Node, node => node.OpType == "If"));
    }

    [Fact]
    public void Calls_of_several_kinds_are_refused()
    {
        InvalidCallException error = Assert.Throws<InvalidCallException>(() => Compress(Graph(), _ => { }, "rate=8,16"));
        Assert.Contains("`IsSpecialized` is for calls of one kind, and here are rate=8, 16", error.Message);
    }

    private static GraphMaker Start() => new GraphMaker().Input("x", 0, 0, Inputs).IntegerInput("rate");

    // By the rate a node of its own; then the only sequence of a batch of one is squeezed, of others not, as PyTorch's exporter writes squeeze(1).
    private static GraphMaker Graph()
    {
        GraphMaker Branch(string name) => new GraphMaker().Recurrent("GRU", name, "x", Inputs, Hidden).Integers("one", 1)
            .Node("Squeeze", [$"{name}_y", "one"], ["steps"]).Result("steps");
        GraphMaker maker = Start().Integers("wide", 16).Integers("at", 1).Integers("alone", 1);
        maker.Graph.Initializer.First(tensor => tensor.Name == "wide").Dims.Clear();
        return maker.Node("Equal", ["rate", "wide"], ["is_wide"])
            .Node("If", ["is_wide"], ["h"], Attributes.Create("then_branch", Branch("cell").Graph), Attributes.Create("else_branch", Branch("narrow").Graph))
            .Node("Shape", ["h"], ["extents"]).Node("Gather", ["extents", "at"], ["batch"]).Node("Equal", ["batch", "alone"], ["is_alone"])
            .Node(
                "If", ["is_alone"], ["rows"],
                Attributes.Create("then_branch", new GraphMaker().Integers("one", 1).Node("Squeeze", ["h", "one"], ["steps"]).Result("steps").Graph),
                Attributes.Create("else_branch", new GraphMaker().Node("Identity", ["h"], ["steps"]).Result("steps").Graph))
            .Constant("w", [Hidden, Outputs]).Node("MatMul", ["rows", "w"], ["p"]).Result("p");
    }

    private static float[] Feed(byte[] graph, float[] x, int steps)
    {
        using InferenceSession session = RuntimeSession.Open(graph, "a graph of the tests");
        using RunOptions run = new();
        using OrtValue given = OrtValue.CreateTensorValueFromMemory(x, [steps, 1, Inputs]), rate = OrtValue.CreateTensorValueFromMemory(new long[] { 16 }, []);
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, new Dictionary<string, OrtValue> { ["x"] = given, ["rate"] = rate }, ["p"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static void Compress(GraphMaker maker, Action<GraphCompression> use, string rate = "rate=16") => Runs.WithFile(maker.ToFile(), path =>
    {
        CallOptions options = CallOptions.Parse([rate], []) with { IsSpecialized = true };
        using GraphCompression compression = new(path, Runs.Data("x", 10, Steps, 1, Inputs), options);
        use(compression);
    });
}
