using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Onnx.Export;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("export", HelpText = "Write a model for other programs: an ONNX graph, checked in ONNX Runtime before it is kept.")]
internal sealed class ExportVerb : ComputeVerb
{
    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file (safetensors).")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("out", Required = true, MetaValue = "FILE", HelpText = "Where to write; its extension says what: .onnx.")]
    [WritesFile]
    public string Out { get; set; } = "";

    [Option("opset", MetaValue = "N", HelpText = "ONNX: version of the operators, 13 to 26 (default 17).")]
    public int? Opset { get; set; }

    [Option("stateful", HelpText =
        "ONNX: the state of every layer is an input and an output, so that a sequence can be given in pieces, down to single steps.")]
    public bool IsStateful { get; set; }

    [Option("lengths", HelpText = "ONNX: one more input, lengths, int32 [batch]: valid steps of each sequence.")]
    public bool TakesLengths { get; set; }

    public override string Usage => "MODEL --out FILE.onnx";

    public override string Example => "gsrnn export model.safetensors --out model.onnx";

    public override void Run(Terminal terminal)
    {
        if (Path.GetExtension(Out).ToLowerInvariant() != ".onnx")
            throw new InvalidCallException($"--out {Out}: its extension must say what to write: .onnx.");
        GraphOptions options = new() { Opset = Opset ?? new GraphOptions().Opset, IsStateful = IsStateful, TakesLengths = TakesLengths };
        options.Check(ModelFile.LoadArchitecture(ModelPath));
        using IBackend backend = OpenBackend();
        using Network network = ModelFile.Load(ModelPath, backend);
        double difference = OnnxExport.Save(Out, network, options);
        terminal.Result($"{Out}: {network}, opset {options.Opset}; answers in ONNX Runtime differ from the network's by {difference:g2} at most");
        terminal.Result(new JsonObject { ["model"] = Out, ["maxDifference"] = difference, ["opset"] = options.Opset });
    }
}
