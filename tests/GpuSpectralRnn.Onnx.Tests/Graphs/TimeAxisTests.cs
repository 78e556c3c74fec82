using Google.Protobuf;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Graphs;

/// <summary>Nodes with layout=1, which ONNX Runtime does not run; its answers to the graph with the time axis in front are known.</summary>
public class TimeAxisTests
{
    private const int Batch = 2, Steps = 7, Inputs = 3, Hidden = 8, Outputs = 2;

    [Theory]
    [InlineData("RNN", 1)]
    [InlineData("GRU", 2)]
    [InlineData("LSTM", 2)]
    public void Outputs_and_states_are_those_of_the_default_layout_turned(string type, int directions)
    {
        ModelProto read = Read(Cell(type, directions, isBatchFirst: true).ToFile());
        Assert.Equal(0, GraphWalk.Nodes(new Scope(read.Graph)).Count(pair => Attributes.Find(pair.Node, "layout") is not null));
        float[] x = Runs.Data("x", Batch, Steps, Inputs)["x"].As<float>(), h = Runs.Data("h", Batch, directions, Hidden)["h"].As<float>();
        (string, long[], float[])[] given = [("x", [Batch, Steps, Inputs], x), ("h0", [Batch, directions, Hidden], h)];
        (string, long[], float[])[] front =
            [("x", [Steps, Batch, Inputs], Turned(x, Batch, Steps, Inputs)), ("h0", [directions, Batch, Hidden], Turned(h, Batch, directions, Hidden))];
        if (type == "LSTM") (given, front) = ([.. given, ("c0", given[1].Item2, h)], [.. front, ("c0", front[1].Item2, front[1].Item3)]);

        Dictionary<string, (long[] Shape, float[] Values)> found = Runs.Once(read.ToByteArray(), given),
            expected = Runs.Once(Cell(type, directions, isBatchFirst: false).ToFile(), front);

        Assert.Equal([Batch, Steps, directions, Hidden], found["y"].Shape);
        Assert.Equal(Turned(expected["y"].Values, Steps * directions, Batch, Hidden), found["y"].Values);
        foreach (string state in expected.Keys.Except(["y"]))
        {
            Assert.Equal([Batch, directions, Hidden], found[state].Shape);
            Assert.Equal(Turned(expected[state].Values, directions, Batch, Hidden), found[state].Values);
        }
    }

    [Fact]
    public void Such_a_graph_is_imported() => Runs.WithFile(Stack().ToFile(), path =>
    {
        using HostBackend host = new(1);
        using Network network = OnnxImport.Read(path, host).Network;
        float[] x = Runs.Data("x", Batch, Steps, Inputs)["x"].As<float>();
        Assert.Equal((Cell: Networks.Cell.Lstm, Readout.Last), (network.Architecture.Cell, network.Architecture.Readout));
        Runs.Close(Runs.Once(OnnxFile.Load(path).ToByteArray(), ("x", [Batch, Steps, Inputs], x))["p"].Values, SmallNetworks.Predict(network, x, Batch, Steps), 1e-5);
    });

    /// <summary>The linear reader behind the transpositions takes A_J in.</summary>
    [Fact]
    public void Such_a_graph_is_compressed() => Runs.WithFile(Stack().ToFile(), path =>
    {
        using GraphCompression compression = new(path, Runs.Data("x", 20, 1, Steps, Inputs), CallOptions.None);
        SmallGraph small = compression.Compress([3]);
        Assert.Equal(3, Assert.Single(compression.Prove(small, rounds: 0).Nodes).After);
        Assert.DoesNotContain(ModelProto.Parser.ParseFrom(small.File).Graph.Node, node => node.Name.EndsWith("/whole", StringComparison.Ordinal));
    });

    private static GraphMaker Cell(string type, int directions, bool isBatchFirst)
    {
        bool isLstm = type == "LSTM";
        int[] Extents(int first, int second, int width) => isBatchFirst ? [second, first, width] : [first, second, width];
        GraphMaker maker = new GraphMaker().Input("x", Extents(Steps, Batch, Inputs)).Input("h0", Extents(directions, Batch, Hidden));
        if (isLstm) maker.Input("c0", Extents(directions, Batch, Hidden));
        maker.Recurrent(type, "cell", "x", Inputs, Hidden, directions, isLstm ? ["h0", "c0"] : ["h0"], isLstm ? ["y", "yh", "yc"] : ["y", "yh"]);
        if (isBatchFirst) maker.Graph.Node[0].Attribute.Add(Attributes.Create("layout", 1));
        maker.Output("y").Output("yh");
        return isLstm ? maker.Output("yc") : maker;
    }

    // The last state [N, 1, H] of an LSTM, then a linear layer.
    private static GraphMaker Stack()
    {
        GraphMaker maker = new GraphMaker().Input("x", 0, 0, Inputs).Recurrent("LSTM", "cell", "x", Inputs, Hidden, outputs: ["", "last"])
            .Integers("one", 1).Node("Squeeze", ["last", "one"], ["h"]).Constant("w", [Hidden, Outputs]).Constant("b", [Outputs])
            .Node("Gemm", ["h", "w", "b"], ["p"]).Output("p");
        maker.Graph.Node[0].Attribute.Add(Attributes.Create("layout", 1));
        return maker;
    }

    // [m, n, width] as [n, m, width].
    private static float[] Turned(float[] values, int m, int n, int width) =>
        [.. Enumerable.Range(0, n).SelectMany(j => Enumerable.Range(0, m).SelectMany(i => values.AsSpan(((i * n) + j) * width, width).ToArray()))];

    private static ModelProto Read(byte[] file)
    {
        ModelProto? model = null;
        Runs.WithFile(file, path => model = OnnxFile.Load(path));
        return model!;
    }
}
