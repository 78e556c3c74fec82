using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>Wrong calls get one line that names what is wrong.</summary>
public class RefusalTests
{
    private const int Steps = 6, Inputs = 3, Hidden = 8;

    [Fact]
    public void A_graph_without_recurrent_nodes() =>
        Refused(new GraphMaker().Input("x", 1, 3).Node("Relu", ["x"], ["y"]).Output("y", 1, 3), "holds no RNN, LSTM or GRU node");

    [Fact]
    public void Weights_that_hang_on_an_input()
    {
        GraphMaker maker = Good();
        maker.Graph.Initializer.Remove(maker.Graph.Initializer.First(tensor => tensor.Name == "cell_r"));
        Refused(maker.Input("cell_r", 1, Hidden, Hidden), "its R is not constant, it hangs on the input cell_r");
    }

    [Fact]
    public void Data_of_another_shape() => Refused(Good(), "but the input takes [6, 1, 3]", data: [10, Steps, 1, Inputs + 1]);

    [Fact]
    public void Data_of_another_name() => Refused(Good(), "`data` holds z, which is no input", name: "z");

    [Fact]
    public void Too_few_sequences() => Refused(Good(), "give 3 or more", data: [2, Steps, 1, Inputs]);

    [Fact]
    public void Fewer_steps_than_units()
    {
        GraphMaker maker = new GraphMaker().Input("x", 1, 1, Inputs).Recurrent("RNN", "cell", "x", Inputs, Hidden).Output("cell_y");
        Refused(maker, "at least as many steps as units", data: [5, 1, 1, Inputs]);
    }

    [Fact]
    public void States_that_are_not_there()
    {
        Refused(Good(), "there is no output q; outputs are cell_y", CallOptions.Parse([], ["q=x"]));
        Refused(Good(), "there is no input q; inputs are x", CallOptions.Parse([], ["cell_y=q"]));
    }

    [Fact]
    public void Settings_that_are_no_pairs_or_no_numbers()
    {
        Assert.Contains("NAME=VALUE", Assert.Throws<InvalidCallException>(() => CallOptions.Parse(["sr"], [])).Message);
        Assert.Contains("fast is not a number", Assert.Throws<InvalidCallException>(() => CallOptions.Parse(["sr=fast"], [])).Message);
        Assert.Contains("OUTPUT=INPUT", Assert.Throws<InvalidCallException>(() => CallOptions.Parse([], ["=state"])).Message);
    }

    [Fact]
    public void A_setting_of_an_unknown_input() => Refused(Good(), "`Fixed` sr: there is no input sr", CallOptions.Parse(["sr=1"], []));

    [Fact]
    public void An_output_that_changes_from_run_to_run()
    {
        GraphMaker maker = Good().Node("RandomNormalLike", ["x"], ["noise"]).Output("noise");
        RunFailedException error = Assert.Throws<RunFailedException>(() => Open(maker, CallOptions.None, "x", [10, Steps, 1, Inputs], _ => { }));
        Assert.Contains("output noise is not the same", error.Message);
    }

    /// <summary>A chain that no stack holds.</summary>
    [Fact]
    public void Weights_behind_too_many_operators()
    {
        const int length = 30_000;
        GraphMaker maker = Good();
        maker.Graph.Initializer.First(tensor => tensor.Name == "cell_r").Name = "r_0";
        for (int i = 0; i < length; i++)
            maker.Graph.Node.Insert(i, new NodeProto { OpType = "Identity", Input = { $"r_{i}" }, Output = { i == length - 1 ? "cell_r" : $"r_{i + 1}" } });
        Exception? error = null;
        Thread small = new(
            () => error = Record.Exception(() => Open(maker, CallOptions.None, "x", [10, Steps, 1, Inputs], _ => { })),
            maxStackSize: 512 << 10);
        small.Start();
        small.Join();
        Assert.Contains("more operators than can be followed", Assert.IsType<InvalidCallException>(error).Message);
    }

    [Fact]
    public void More_units_than_there_are() => Open(Good(), CallOptions.None, "x", [10, Steps, 1, Inputs], compression =>
    {
        Assert.Contains("of 8 units; give 1 to 8", Assert.Throws<InvalidCallException>(() => compression.OfSize(new KeepSize(9))).Message);
        Assert.Contains("1 recurrent layers", Assert.Throws<InvalidCallException>(() => compression.OfSize(new KeepSize(4, 4))).Message);
        Assert.Contains("`fraction`", Assert.Throws<InvalidCallException>(() => compression.OfShare(1.5)).Message);
        Assert.Contains("`tolerance`", Assert.Throws<InvalidCallException>(() => compression.Search(-1)).Message);
    });

    [Fact]
    public void A_file_that_is_no_graph() => Runs.WithFile([.. "no graph at all"u8], path =>
        Assert.Contains("not an ONNX file", Assert.Throws<BrokenFileException>(() => OnnxFile.Load(path)).Message));

    private static GraphMaker Good() => new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("RNN", "cell", "x", Inputs, Hidden).Output("cell_y");

    private static void Refused(GraphMaker maker, string message, CallOptions? options = null, string name = "x", int[]? data = null)
    {
        InvalidCallException error = Assert.Throws<InvalidCallException>(
            () => Open(maker, options ?? CallOptions.None, name, data ?? [10, Steps, 1, Inputs], _ => { }));
        Assert.Contains(message, error.Message);
    }

    private static void Open(GraphMaker maker, CallOptions options, string name, int[] data, Action<GraphCompression> use) =>
        Runs.WithFile(maker.ToFile(), path =>
        {
            using GraphCompression compression = new(path, Runs.Data(name, data), options);
            use(compression);
        });
}
