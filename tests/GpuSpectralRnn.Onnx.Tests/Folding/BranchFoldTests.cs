using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Tests.Folding;

/// <summary>
/// A linear reader behind an If takes A_J in where all branches give the units of nodes that are cut alike. The same graph with a sum with zero before
/// the reader, which is not looked through, keeps the products; both must answer alike. 1e-4 is rounding of 32-bit floats through steps and products.
/// </summary>
public class BranchFoldTests
{
    private const int Steps = 6, Inputs = 3, Hidden = 12, Keep = 5, Outputs = 4;

    [Theory]
    [InlineData("states")]
    [InlineData("squeezed")]
    [InlineData("nested")]
    [InlineData("twice")]
    public void A_reader_behind_the_branches_takes_the_reconstruction_in(string kind) => Check(kind, isFolded: true);

    [Theory]
    [InlineData("other")]
    [InlineData("constant")]
    [InlineData("half-squeezed")]
    [InlineData("shown")]
    public void A_reader_keeps_the_product_where_a_branch_gives_something_else(string kind) => Check(kind, isFolded: false);

    private static void Check(string kind, bool isFolded) => Runs.WithFile(Make(kind, isHindered: false), open => Runs.WithFile(Make(kind, isHindered: true), hindered =>
    {
        (byte[] folded, byte[] whole) = (Cut(open), Cut(hindered));
        Assert.Equal(!isFolded, HasProduct(folded));
        Assert.True(HasProduct(whole));
        float[] x = Runs.Data("x", Steps, Inputs)["x"].As<float>();
        foreach (bool which in (bool[])[true, false]) Runs.Close(Call(whole, x, which), Call(folded, x, which), 1e-4, $"{kind}, {which}");
    }));

    private static byte[] Cut(string path)
    {
        using GraphCompression compression = new(path, Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.Parse(["which=true,false"], []));
        return compression.Patch(compression.Plans(compression.OfShare((double)Keep / Hidden), UnitCriterion.Both));
    }

    private static bool HasProduct(byte[] file) => GraphWalk.Nodes(new Scope(ModelProto.Parser.ParseFrom(file).Graph))
        .Any(place => place.Node.Name.EndsWith("/whole", StringComparison.Ordinal));

    private static float[] Call(byte[] file, float[] x, bool which)
    {
        using InferenceSession session = RuntimeSession.Open(file, "a graph of the tests");
        using RunOptions run = new();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x, [Steps, 1, Inputs]);
        using OrtValue choice = OrtValue.CreateTensorValueFromMemory(new[] { which }, []);
        using IDisposableReadOnlyCollection<OrtValue> results =
            session.Run(run, new Dictionary<string, OrtValue> { ["x"] = input, ["which"] = choice }, ["p"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    // Nodes of the same seed have the same weights, and are cut alike.
    private static byte[] Make(string kind, bool isHindered)
    {
        bool isSqueezed = kind != "states";
        GraphProto Branch(string name, bool squeezes, string? other = null)
        {
            GraphMaker branch = new GraphMaker();
            if (other == "constant") return branch.Constant($"{name}_y", [Steps, 1, Hidden]).Node("Identity", [$"{name}_y"], [$"{name}_s"]).Output($"{name}_s", 0, 0, 0).Graph;
            if (other == "weights") branch.Constant($"{name}_spare", [7]);
            branch.Recurrent("LSTM", name, "x", Inputs, Hidden, outputs: [$"{name}_y"]);
            if (!squeezes) return branch.Output($"{name}_y").Graph;
            return branch.Integers($"{name}_one", 1).Node("Squeeze", [$"{name}_y", $"{name}_one"], [$"{name}_s"]).Output($"{name}_s", 0, 0, 0).Graph;
        }

        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Condition("which").Constant("w", [Hidden, Outputs]).Constant("zero", [1], [0f]);
        GraphProto yes = Branch("yes", isSqueezed), no = kind switch
        {
            "other" => Branch("no", isSqueezed, "weights"),
            "constant" => Branch("no", isSqueezed, "constant"),
            "half-squeezed" => Branch("no", squeezes: false),
            _ => Branch("no", isSqueezed),
        };
        if (kind == "nested")
        {
            // Both branches of an If inside a branch.
            GraphProto second = Branch("second", isSqueezed);
            no = new GraphMaker().Node("Not", ["which"], ["not"])
                .Node("If", ["not"], ["inner"], Attributes.Create("then_branch", no), Attributes.Create("else_branch", second)).Output("inner", 0, 0, 0).Graph;
        }

        maker.Node("If", ["which"], ["y"], Attributes.Create("then_branch", yes), Attributes.Create("else_branch", no));
        string read = "y";
        if (isHindered) maker.Node("Add", ["y", "zero"], [read = "hindered"]);
        maker.Node("MatMul", [read, "w"], [kind == "twice" ? "a" : "p"]);
        if (kind == "twice") maker.Constant("v", [Hidden, Outputs]).Node("MatMul", [read, "v"], ["b"]).Node("Mul", ["a", "b"], ["p"]);
        if (kind == "shown") maker.Node("Sigmoid", [read], ["q"]).Output("q");
        return maker.Output("p").ToFile();
    }
}
