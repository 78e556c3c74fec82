using Google.Protobuf;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Graphs;

/// <summary>Files that define functions: read as graphs without, which answer alike in ONNX Runtime, which knows functions itself.</summary>
public class LocalFunctionTests
{
    private const int Steps = FunctionGraph.Steps, Inputs = FunctionGraph.Inputs;

    [Theory]
    [InlineData("RNN")]
    [InlineData("LSTM")]
    [InlineData("GRU")]
    public void The_graph_without_functions_answers_alike(string type)
    {
        byte[] file = FunctionGraph.Make(type);
        ModelProto read = Read(file);
        float[] x = Runs.Data("x", Steps, Inputs)["x"].As<float>();

        Assert.Empty(read.Functions);
        Assert.Equal(2, read.Graph.Node.Count(node => node.OpType == type));
        Assert.All(GraphWalk.Nodes(new Scope(read.Graph)), pair => Assert.True(GraphWalk.IsStandard(pair.Node)));
        string[] made = [.. GraphWalk.Nodes(new Scope(read.Graph)).SelectMany(pair => pair.Node.Output).Where(name => name.Length > 0)];
        Assert.Equal(made.Length, made.Distinct().Count());
        Assert.Equal(Runs.Once(file, ("x", [Steps, 1, Inputs], x))["p"].Values, Runs.Once(read.ToByteArray(), ("x", [Steps, 1, Inputs], x))["p"].Values);
    }

    [Theory]
    [InlineData("LSTM")]
    [InlineData("GRU")]
    public void Nodes_in_functions_are_compressed(string type) => Runs.WithFile(FunctionGraph.Make(type), path =>
    {
        using GraphCompression compression = new(path, Runs.Data("x", 20, Steps, 1, Inputs), CallOptions.None);
        SmallGraph small = compression.Compress([4, 3]);
        Assert.Equal([4, 3], compression.Prove(small, rounds: 0).Nodes.Select(node => node.After));
        Assert.Equal([FunctionGraph.Hidden, FunctionGraph.Upper], compression.Layers.Select(layer => layer.Units));
    });

    [Fact]
    public void Nodes_in_functions_are_imported()
    {
        const int hidden = 8, batch = 2;
        GraphMaker body = new GraphMaker().Node("Transpose", ["x"], ["steps"], Attributes.Create("perm", 1, 0, 2))
            .Node("GRU", ["steps", "w", "r", "b"], ["", "h"], Attributes.Create("hidden_size", hidden), Attributes.Create("linear_before_reset", 1))
            .Node("Constant", [], ["front"], Attributes.Create("value_ints", [0L])).Node("Squeeze", ["h", "front"], ["last"]);
        GraphMaker maker = new GraphMaker().Input("x", 0, 0, Inputs).Constant("w", [1, 3 * hidden, Inputs]).Constant("r", [1, 3 * hidden, hidden], 0.5f)
            .Constant("b", [1, 6 * hidden], 0.3f).Constant("head", [hidden, 2]);
        FunctionGraph.Call(maker, "Last", ["x", "w", "r", "b"], ["seen"]).Node("Gemm", ["seen", "head"], ["p"]).Result("p");
        ModelProto model = ModelProto.Parser.ParseFrom(maker.ToFile());
        model.OpsetImport.Add(new OperatorSetProto { Domain = maker.Graph.Node[0].Domain, Version = 1 });
        model.Functions.Add(FunctionGraph.Function("Last", ["x", "w", "r", "b"], ["last"], body));
        float[] x = Runs.Data("x", batch, Steps, Inputs)["x"].As<float>();
        Runs.WithFile(model.ToByteArray(), path =>
        {
            using HostBackend host = new(1);
            using Network network = OnnxImport.Read(path, host).Network;
            float[] expected = Runs.Once(model.ToByteArray(), ("x", [batch, Steps, Inputs], x))["p"].Values;
            Runs.Close(expected, SmallNetworks.Predict(network, x, batch, Steps), 1e-5);
        });
    }

    /// <summary>A function of another operator set may mean other things by the same names: it stays where it is.</summary>
    [Fact]
    public void Functions_for_another_operator_set_stay_unless_a_recurrent_node_is_in_them()
    {
        ModelProto read = Read(FunctionGraph.Make("LSTM", model => OperatorSet(model, "Head").Version = 16));
        Assert.Equal(["Head"], read.Functions.Select(function => function.Name));
        Assert.Equal(2, read.Graph.Node.Count(node => node.OpType == "LSTM"));
        Assert.Contains(
            "the function Layer, which has a recurrent node, is written for operator set 16 of ONNX, the graph for 17",
            Assert.Throws<InvalidCallException>(() => Read(FunctionGraph.Make("LSTM", model => OperatorSet(model, "Layer").Version = 16))).Message);
    }

    /// <summary>An operator set that only functions name comes along.</summary>
    [Fact]
    public void Operator_sets_of_functions_come_along()
    {
        ModelProto read = Read(FunctionGraph.Make("LSTM", model =>
        {
            FunctionProto head = model.Functions.Single(function => function.Name == "Head");
            head.OpsetImport.Add(new OperatorSetProto { Domain = "com.microsoft", Version = 1 });
            head.Node.Add(new NodeProto { OpType = "Gelu", Domain = "com.microsoft", Input = { "p" }, Output = { "g" } });
            head.Output[0] = "g";
        }));
        Assert.Contains(read.OpsetImport, set => set is { Domain: "com.microsoft", Version: 1 });
        Assert.NotEmpty(Runs.Once(read.ToByteArray(), ("x", [Steps, 1, Inputs], Runs.Data("x", Steps, Inputs)["x"].As<float>()))["p"].Values);
    }

    [Fact]
    public void Functions_without_end_are_refused()
    {
        Refused("a function Scaled that calls itself", model => Again(model, "Scaled"));
        Refused("a function Head that reads z, which nothing makes", model => model.Functions.Single(f => f.Name == "Head").Node[0].Input[0] = "z");
        Refused("gives Scaled more inputs", model => model.Functions.Single(f => f.Name == "Layer").Node.Single(n => n.OpType == "Scaled").Input.Add("y"));
        Refused("grows by more than", model => Chain(model, 40, twice: true)); // 2^40 nodes
        Refused("more than 64 functions that call each other", model => Chain(model, 100, twice: false));
        Assert.Empty(Read(FunctionGraph.Make("LSTM", model => Chain(model, 10, twice: true))).Functions);
    }

    private static void Refused(string message, Action<ModelProto> edit)
    {
        BrokenFileException error = Assert.Throws<BrokenFileException>(() => Read(FunctionGraph.Make("LSTM", edit)));
        Assert.Contains(message, error.Message);
    }

    private static void Again(ModelProto model, string name) =>
        model.Functions.Single(function => function.Name == name).Node.Add(FunctionGraph.Call(new GraphMaker(), name, ["y"], ["z"]).Graph.Node[0]);

    // Functions f_0, f_1, ... that call the next one, once or twice; the graph calls the first.
    private static void Chain(ModelProto model, int count, bool twice)
    {
        for (int i = 0; i < count; i++)
        {
            GraphMaker body = new();
            if (i == count - 1) body.Node("Identity", ["x"], ["y"]);
            else FunctionGraph.Call(body, $"f_{i + 1}", ["x"], ["y"]);
            if (i < count - 1 && twice) FunctionGraph.Call(body, $"f_{i + 1}", ["y"], ["z"]);
            model.Functions.Add(FunctionGraph.Function($"f_{i}", ["x"], ["y"], body));
        }

        model.Graph.Node.Add(FunctionGraph.Call(new GraphMaker(), "f_0", ["x"], ["unused"]).Graph.Node[0]);
    }

    private static OperatorSetProto OperatorSet(ModelProto model, string name) =>
        model.Functions.Single(function => function.Name == name).OpsetImport.Single(set => set.Domain.Length == 0);

    private static ModelProto Read(byte[] file)
    {
        ModelProto? model = null;
        Runs.WithFile(file, path => model = OnnxFile.Load(path));
        return model!;
    }
}
