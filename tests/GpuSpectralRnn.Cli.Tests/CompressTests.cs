using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>The verb compress: what it prints, what it writes, what it refuses.</summary>
public class CompressTests
{
    private const int Steps = 6, Inputs = 3, Hidden = 8, Count = 10;

    [Fact]
    public void TheResultHasItsKeys()
    {
        using Folder folder = new();
        string[] call = [.. Call(folder, Good()), "--keep", "4", "--refine", "5", "--out", folder["small.onnx"], "--json"];
        JsonElement result = Gsrnn.Run(call).Succeeds().Json;

        Assert.Equal(folder["small.onnx"], result.GetProperty("model").GetString());
        JsonElement node = Assert.Single(result.GetProperty("nodes").EnumerateArray());
        Assert.Equal("GRU", node.GetProperty("type").GetString());
        Assert.Equal(Inputs, node.GetProperty("inputs").GetInt32());
        Assert.Equal(Hidden, node.GetProperty("hidden").GetProperty("before").GetInt32());
        Assert.Equal(4, node.GetProperty("hidden").GetProperty("after").GetInt32());
        Assert.Equal(new FileInfo(folder["small.onnx"]).Length, result.GetProperty("bytes").GetProperty("after").GetInt64());
        Assert.Equal(new FileInfo(folder["model.onnx"]).Length, result.GetProperty("bytes").GetProperty("before").GetInt64());
        JsonElement times = result.GetProperty("microsecondsPerCall");
        Assert.True(times.GetProperty("before").GetDouble() > 0 && times.GetProperty("after").GetDouble() > 0);
        JsonElement output = Assert.Single(result.GetProperty("outputs").EnumerateArray());
        Assert.Equal("p", output.GetProperty("name").GetString());
        Assert.True(output.GetProperty("maxDifference").GetDouble() >= output.GetProperty("meanDifference").GetDouble());
        Assert.InRange(output.GetProperty("agreement").GetDouble(), 0, 1);
        Assert.Equal(Count / 5, result.GetProperty("heldOut").GetInt32());
    }

    [Fact]
    public void WithoutASizeATableIsPrintedAndNothingWritten()
    {
        using Folder folder = new();
        string[] call = Call(folder, Good());
        string[] before = Directory.GetFiles(folder.Path);
        JsonElement result = Gsrnn.Run([.. call, "--refine", "0", "--json"]).Succeeds().Json;

        Assert.Equal([1, 2, 3, 4, 5, 6, 7], result.GetProperty("sizes").EnumerateArray().Select(size => size.GetProperty("keep")[0].GetInt32()));
        Assert.Equal(before, Directory.GetFiles(folder.Path));
        Assert.Contains("nothing was written", Gsrnn.Run([.. call, "--refine", "0"]).Succeeds().Out);
    }

    [Fact]
    public void SpecializedGraphsSayWhatTheyAreFor()
    {
        using Folder folder = new();
        string[] call = [.. Call(folder, Good()), "--keep", "4", "--refine", "off", "--specialize", "--out", folder["small.onnx"]];
        Assert.Equal($"x [{Steps}, 1, {Inputs}]", Gsrnn.Run([.. call, "--json"]).Succeeds().Json.GetProperty("specialFor").GetString());
        Assert.Contains($"where calls have x [{Steps}, 1, {Inputs}]: it is for those alone", Gsrnn.Run(call).Succeeds().Out);
    }

    [Fact]
    public void TheReportLetsEverySizeBeChosen()
    {
        using Folder folder = new();
        string[] call = [.. Call(folder, Good()), "--fraction", "0.5", "--refine", "0", "--out", folder["small.onnx"]];
        Gsrnn.Run([.. call, "--report", folder["page.html"]]).Succeeds();
        string page = File.ReadAllText(folder["page.html"]);
        Assert.Contains("type=\"range\"", page);
        foreach (int size in (int[])[1, 2, 3, 4, 5, 6, 7]) Assert.Contains($"--keep {size} --refine 0 --out ", page); // the call that made the page, at this size
    }

    [Fact]
    public void ABudgetOfAllLayers()
    {
        using Folder folder = new();
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "first", "x", Inputs, Hidden).Integers("one", 1)
            .Node("Squeeze", ["first_y", "one"], ["h"]).Recurrent("RNN", "second", "h", Hidden, Hidden).Output("second_y");
        string[] call = [.. Call(folder, maker), "--fraction", "0.5", "--shared-budget", "--refine", "0", "--out", folder["small.onnx"], "--json"];
        JsonElement result = Gsrnn.Run(call).Succeeds().Json;
        int[] after = [.. result.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("hidden").GetProperty("after").GetInt32())];
        Assert.All(after, units => Assert.InRange(units, 1, Hidden));
        Assert.True(after.Sum() < 2 * Hidden);
    }

    [Fact]
    public void BadCallsGetOneLine()
    {
        using Folder folder = new();
        string[] call = Call(folder, Good()), to = ["--out", folder["small.onnx"]];
        Gsrnn.Run([.. call, "--keep", "4"]).FailsWith(2, "--out");
        Gsrnn.Run([.. call, .. to]).FailsWith(2, "--out", "--keep");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--fraction", "0.5"]).FailsWith(2, "in one way");
        Gsrnn.Run([.. call, .. to, "--keep", "9"]).FailsWith(2, "8 units");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--refine", "-1"]).FailsWith(2, "--refine");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--shared-budget"]).FailsWith(2, "--fraction");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--state", "q=x"]).FailsWith(2, "no output q", "p");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--state", "p=q"]).FailsWith(2, "no input q", "x");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--set", "sr=1"]).FailsWith(2, "no input sr");
        Gsrnn.Run([.. call, .. to, "--keep", "4", "--shrink-state"]).FailsWith(2, "--shrink-state", "--state");
        Assert.False(File.Exists(folder["small.onnx"]));
    }

    [Fact]
    public void BadDataGetOneLine()
    {
        using Folder folder = new();
        string[] Give(int[] shape) => [.. Call(folder, Good(), shape), "--keep", "4", "--out", folder["small.onnx"]];
        Gsrnn.Run(Give([Count, Steps, 1, Inputs + 1])).FailsWith(2, "--data", "[6, 1, 3]");
        Gsrnn.Run(Give([Count, Steps])).FailsWith(2, "--data");
        Gsrnn.Run(Give([2, Steps, 1, Inputs])).FailsWith(2, "3 or more");
        Gsrnn.Run([.. Give([Count, Steps, 1, Inputs])[..3], folder["absent.npy"], "--keep", "4", "--out", folder["s"]]).FailsWith(2, "absent.npy");
        float[] numbers = new float[Count * Steps * Inputs];
        numbers[^1] = float.NaN;
        Gsrnn.Run([.. Give([Count, Steps, 1, Inputs])[..3], folder.Npy("nan.npy", [Count, Steps, 1, Inputs], numbers), "--keep", "4", "--out", folder["s"]])
            .FailsWith(2, "NaN", "x", "sequence 9");
        File.WriteAllText(folder["words.npy"], "words");
        Gsrnn.Run([.. Give([Count, Steps, 1, Inputs])[..3], folder["words.npy"], "--keep", "4", "--out", folder["s"]]).FailsWith(1, "words.npy");
    }

    [Fact]
    public void BadGraphsGetOneLine()
    {
        using Folder folder = new();
        Outcome Take(GraphMaker maker) => Gsrnn.Run([.. Call(folder, maker), "--keep", "4", "--out", folder["small.onnx"]]);
        Take(new GraphMaker().Input("x", Steps, 1, Inputs).Node("Relu", ["x"], ["p"]).Output("p")).FailsWith(2, "no RNN, LSTM or GRU");
        GraphMaker open = Good();
        open.Graph.Initializer.Remove(open.Graph.Initializer.First(tensor => tensor.Name == "cell_r"));
        Take(open.Input("cell_r", 1, 3 * Hidden, Hidden)).FailsWith(2, "R is not constant", "cell_r");
        Take(Good().Node("RandomNormalLike", ["x"], ["noise"]).Output("noise")).FailsWith(1, "noise", "not the same");
        GraphMaker wrong = Good();
        wrong.Graph.Initializer.First(tensor => tensor.Name == "cell_r").Dims[1]--;
        Take(wrong).FailsWith(1, "cell");
        File.WriteAllText(folder["model.onnx"], "no graph");
        string[] call = ["compress", folder["model.onnx"], "--data", folder["x.npy"], "--keep", "4", "--out", folder["small.onnx"]];
        Gsrnn.Run(call).FailsWith(1, "model.onnx");
    }

    [Fact]
    public void TheAnswerComesFirst()
    {
        using Folder folder = new();
        string[] lines = Gsrnn.Run([.. Call(folder, Good()), "--keep", "4", "--refine", "0", "--out", folder["small.onnx"]]).Succeeds().Out.Split('\n');
        Assert.StartsWith($"{folder["small.onnx"]}: With 4 of 8 GRU units it decides as model.onnx in ", lines[0]);
        Assert.Equal(["lost", "gained", "to"], lines[2..5].Select(line => line.Split(' ')[0]));
    }

    /// <summary>Two files, one for each value of the input that chooses; every part of the result says for which.</summary>
    [Fact]
    public void DataForEveryValueOfAnInputThatChooses()
    {
        using Folder folder = new();
        GpuSpectralRnn.Onnx.Protos.GraphProto Branch(string name, int inputs) => new GraphMaker()
            .Constant($"{name}_spare", [inputs]).Recurrent("GRU", name, "x", inputs, Hidden).Output($"{name}_y", 0, 1, 1, Hidden).Graph;
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, 0).IntegerInput("sr", 1).Integers("sixteen", 16000).Node("Equal", ["sr", "sixteen"], ["is"])
            .Node("If", ["is"], ["y"],
                GpuSpectralRnn.Onnx.Graphs.Attributes.Create("then_branch", Branch("wide", Inputs)),
                GpuSpectralRnn.Onnx.Graphs.Attributes.Create("else_branch", Branch("narrow", 2)))
            .Constant("w", [Hidden, 1]).Node("MatMul", ["y", "w"], ["a"]).Node("Sigmoid", ["a"], ["p"]).Output("p");
        File.WriteAllBytes(folder["model.onnx"], maker.ToFile());
        IEnumerable<float> Numbers(int width) => Enumerable.Range(0, Count * Steps * width).Select(i => MathF.Sin(1.7f * i));
        string wide = folder.Npy("wide.npy", [Count, Steps, 1, Inputs], Numbers(Inputs)), narrow = folder.Npy("narrow.npy", [Count, Steps, 1, 2], Numbers(2));
        string[] call = ["compress", folder["model.onnx"], "--keep", "4", "--refine", "0", "--out", folder["small.onnx"], "--data"];

        JsonElement result = Gsrnn.Run([.. call, $"16000={wide}", $"8000={narrow}", "--json"]).Succeeds().Json;

        Assert.All(result.GetProperty("nodes").EnumerateArray(), node => Assert.Equal(4, node.GetProperty("hidden").GetProperty("after").GetInt32()));
        Assert.Equal(["sr=16000", "sr=8000"], result.GetProperty("outputs").EnumerateArray().Select(output => output.GetProperty("choice").GetString()));
        Assert.Contains("did not run", Gsrnn.Run([.. call, wide]).Succeeds().Out);
        Gsrnn.Run([.. call, wide, narrow]).FailsWith(2, "--data", "16000=wide.npy");
        Gsrnn.Run([.. call, $"16000={wide}", $"16000={narrow}"]).FailsWith(2, "--data");
        Gsrnn.Run([.. call, $"16000={narrow}", $"8000={wide}"]).FailsWith(2, "sr=16000");
        Gsrnn.Run([.. call, $"16000={folder["absent.npy"]}", $"8000={narrow}"]).FailsWith(2, "absent.npy");
        Gsrnn.Run([.. call, $"16000={wide}", $"8000={narrow}", "--set", "sr=16000"]).FailsWith(2, "--set");
    }

    private static GraphMaker Good() => new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "cell", "x", Inputs, Hidden)
        .Constant("w", [Hidden, 1]).Node("MatMul", ["cell_y", "w"], ["a"]).Node("Sigmoid", ["a"], ["p"]).Output("p");

    private static string[] Call(Folder folder, GraphMaker maker, int[]? shape = null)
    {
        File.WriteAllBytes(folder["model.onnx"], maker.ToFile());
        int[] extents = shape ?? [Count, Steps, 1, Inputs];
        string x = folder.Npy("x.npy", extents, Enumerable.Range(0, extents.Aggregate(1, (a, b) => a * b)).Select(i => MathF.Sin(1.7f * i)));
        return ["compress", folder["model.onnx"], "--data", x];
    }
}
