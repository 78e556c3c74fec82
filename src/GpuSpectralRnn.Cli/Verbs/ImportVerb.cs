using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("import", HelpText = "Make a model of a PyTorch state dict in a safetensors file: one nn.RNN, nn.LSTM or nn.GRU, one nn.Linear and perhaps one nn.Embedding.")]
internal sealed class ImportVerb : ComputeVerb
{
    [Value(0, MetaName = "FILE", Required = true, HelpText = "The state dict (.safetensors).")]
    public string File { get; set; } = "";

    [Option("cell", Required = true, MetaValue = "C", HelpText = "irnn, rnn-tanh, rnn-relu, lstm or gru: what the file cannot tell.")]
    public string Cell { get; set; } = "";

    [Option("readout", MetaValue = "R", HelpText = "What the linear layer sees: last, mean or every (default: every of a language model, else last).")]
    public string? Readout { get; set; }

    [Option("task", Default = "classification", MetaValue = "T", HelpText = "classification or regression.")]
    public string Task { get; set; } = "classification";

    [Option("view", MetaValue = "V", HelpText = "How the network was shown images, if it was: row, pixel or permuted.")]
    public string? View { get; set; }

    [Option("out", Required = true, MetaValue = "MODEL", HelpText = "Where to write the model.")]
    public string Out { get; set; } = "";

    public override string Usage => "FILE.safetensors --cell C --out MODEL";

    public override string Example => "gsrnn import torch.safetensors --cell rnn-tanh --out model.safetensors";

    public override void Run(Terminal terminal)
    {
        Cell cell = Names.Parse<Cell>(Cell, "cell");
        Readout? readout = Readout is null ? null : Names.Parse<Readout>(Readout, "read-out");
        TaskKind task = Names.Parse<TaskKind>(Task, "task");
        string? view = View is null ? null : Names.Parse<GpuSpectralRnn.Data.ImageView>(View, "view").Name();
        if (File.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            throw new InvalidCallException(
                $"{File}: ONNX files cannot be imported; save the PyTorch state dict with safetensors.torch.save_file and import that.");
        OutputPath.Check(Out, "--out");
        using IBackend backend = OpenBackend();
        using Network imported = StateDict.Import(File, backend, cell, readout, task);
        using Network network = new(imported.Architecture with { View = view }, backend);
        backend.Copy(imported.Parameters.Values, network.Parameters.Values);
        ModelFile.Save(Out, network);
        terminal.Result($"{Out}: {network}, {network.Architecture.ParameterCount:N0} parameters");
        terminal.Result(new JsonObject
        {
            ["model"] = Out,
            ["cell"] = network.Architecture.Cell.Name(),
            ["inputs"] = network.Architecture.Inputs,
            ["hidden"] = new JsonArray([.. network.Architecture.Hidden.Select(h => JsonValue.Create(h))]),
            ["outputs"] = network.Architecture.Outputs,
            ["parameters"] = network.Architecture.ParameterCount,
        });
    }
}
