using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("export", HelpText = "Write a model for other programs: ONNX Runtime, PyTorch, C.")]
internal sealed class ExportVerb : ComputeVerb
{
    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file (safetensors).")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("out", Required = true, MetaValue = "FILE", HelpText =
        "Where to write; the extension says what: .onnx, a graph that is checked in ONNX Runtime before it is kept; .safetensors, a plain PyTorch " +
        "state dict; .c, C99 source of a function that takes one step, for microcontrollers.")]
    [WritesFile]
    public string Out { get; set; } = "";

    [Option("opset", MetaValue = "N", HelpText = "ONNX: version of the operators, 13 to 26 (default 17).")]
    public int? Opset { get; set; }

    [Option("stateful", HelpText =
        "ONNX: the state of every layer is an input and an output, so that a sequence can be given in pieces, down to single steps.")]
    public bool IsStateful { get; set; }

    [Option("lengths", HelpText = "ONNX: one more input, lengths, int32 [batch]: valid steps of each sequence.")]
    public bool TakesLengths { get; set; }

    public override string Usage => "MODEL --out FILE(.onnx|.safetensors|.c)";

    public override string Example => "gsrnn export model.safetensors --out model.onnx";

    public override void Run(Terminal terminal)
    {
        Action<Terminal, Network> write = Path.GetExtension(Out).ToLowerInvariant() switch
        {
            ".onnx" => WriteGraph,
            ".safetensors" => WriteStateDict,
            ".c" => WriteSource,
            _ => throw new InvalidCallException($"--out {Out}: its extension must say what to write: .onnx, .safetensors or .c."),
        };
        if (write != WriteGraph && (Opset is not null || IsStateful || TakesLengths))
            throw new InvalidCallException("--opset, --stateful and --lengths are for ONNX; leave them out, or name an .onnx file.");
        using IBackend backend = OpenBackend();
        using Network network = ModelFile.Load(ModelPath, backend);
        write(terminal, network);
    }

    private void WriteGraph(Terminal terminal, Network network)
    {
        GraphOptions options = new() { Opset = Opset ?? new GraphOptions().Opset, IsStateful = IsStateful, TakesLengths = TakesLengths };
        double difference = OnnxExport.Save(Out, network, options);
        terminal.Result(
            $"{Out}: {network.Architecture.Summary}, opset {options.Opset}; "
            + $"answers in ONNX Runtime differ from the network's by {difference:g2} at most");
        terminal.Result(new JsonObject { ["model"] = Out, ["maxDifference"] = difference, ["opset"] = options.Opset });
    }

    private void WriteStateDict(Terminal terminal, Network network)
    {
        StateDictExport.Save(Out, network);
        if (StateDictExport.IsModelFile(network.Architecture))
            terminal.Note($"{ModelPath} holds these tensors under these names already; only what gsrnn keeps beside them is left out.");
        if (network.Architecture.TiesWeights)
            terminal.Note("The read-out has the embedding's weights: tie them again with readout.weight = embedding.weight.");
        string[] modules = [.. StateDictExport.Modules(network.Architecture)];
        terminal.Result($"{Out}: for load_state_dict of a module with {string.Join(", ", modules.Select(module => $"self.{module}"))}");
        terminal.Result(new JsonObject
        {
            ["model"] = Out,
            ["maxDifference"] = null, // tensors are copied, nothing computes
            ["opset"] = null,
            ["modules"] = new JsonArray([.. modules.Select(module => JsonValue.Create(module))]),
        });
    }

    private void WriteSource(Terminal terminal, Network network)
    {
        CSizes sizes = CSourceFile.Save(Out, network, Call);
        terminal.Result(
            $"{Out}: {sizes.Name}_reset and {sizes.Name}_step; {sizes.WeightBytes:N0} bytes of weights, {sizes.StateBytes:N0} of state, "
            + $"{sizes.StackBytes:N0} on the stack, {sizes.MultiplyAdds:N0} multiply-adds a step");
        terminal.Result(new JsonObject
        {
            ["model"] = Out,
            ["maxDifference"] = null, // it takes a C compiler to run it
            ["opset"] = null,
            ["name"] = sizes.Name,
            ["weightBytes"] = sizes.WeightBytes,
            ["stateBytes"] = sizes.StateBytes,
            ["stackBytes"] = sizes.StackBytes,
            ["multiplyAddsPerStep"] = sizes.MultiplyAdds,
        });
    }
}
