using GpuSpectralRnn.Interchange;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Keras;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Import;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("import", HelpText =
    "Make a model of a PyTorch state dict in a safetensors file: one nn.RNN, nn.LSTM or nn.GRU (or several in a row), one nn.Linear and perhaps " +
    "one nn.Embedding; or of an ONNX graph of such parts, if the model answers as the graph does; or of a Keras 3 model of LSTM, GRU or SimpleRNN " +
    "layers and a Dense. Says what it assumed.")]
internal sealed class ImportVerb : ComputeVerb
{
    [Value(0, MetaName = "FILE", Required = true, HelpText = "The state dict (.safetensors), graph (.onnx), or Keras model (.keras, .weights.h5).")]
    [ReadsFile]
    public string File { get; set; } = "";

    [Option("cell", MetaValue = "C", HelpText =
        "irnn, rnn-tanh, rnn-relu, lstm, gru (or gru-reset-before, of Keras): " +
        "what a state dict or .weights.h5 cannot tell; a graph or .keras says it itself.")]
    public string? Cell { get; set; }

    [Option("readout", MetaValue = "R", HelpText =
        "What the linear layer sees: last (the state in which each direction ends, concat(h_n)), " +
        "last-step (out[:, -1]), mean (out.mean(1)) or every step " +
        "(default: every of a language model, else last; of a graph what its answers show; a .keras says it).")]
    public string? Readout { get; set; }

    [Option("task", MetaValue = "T", HelpText = "classification or regression (default: regression where there is one output, else classification).")]
    public string? Task { get; set; }

    [Option("linear", MetaValue = "M", HelpText = "State dicts with several linear layers: the module of the read-out (head.fc); others are left out.")]
    public string? Linear { get; set; }

    [Option("embedding", MetaValue = "M", HelpText = "State dicts: the module of the embedding, where its name and shape do not tell.")]
    public string? Embedding { get; set; }

    [Option("vocabulary", MetaValue = "F", HelpText =
        "Language models: the words, one to a line, in the order of their numbers; char: a text that holds all characters.")]
    [ReadsFile]
    public string? VocabularyPath { get; set; }

    [Option("unit", Default = "word", MetaValue = "U", HelpText = "Language models: word or char.")]
    public string UnitName { get; set; } = "word";

    [Option("view", MetaValue = "V", HelpText = "How the network was shown images, if it was: row, pixel or permuted.")]
    public string? View { get; set; }

    [Option("out", Required = true, MetaValue = "MODEL", HelpText = "Where to write the model.")]
    [WritesFile]
    public string Out { get; set; } = "";

    public override string Usage => "FILE.safetensors|FILE.weights.h5 --cell C --out MODEL | FILE.onnx|FILE.keras --out MODEL";

    public override string Example => "gsrnn import torch.safetensors --cell rnn-tanh --out model.safetensors";

    public override void Run(Terminal terminal)
    {
        Cell? cell = Cell is null ? null : EnumNames.Parse<Cell>(Cell, "--cell");
        Readout? readout = Readout is null ? null : EnumNames.Parse<Readout>(Readout, "--readout");
        TaskKind? task = Task is null ? null : EnumNames.Parse<TaskKind>(Task, "--task");
        TextUnit unit = EnumNames.Parse<TextUnit>(UnitName, "--unit");
        string? view = View is null ? null : EnumNames.Parse<ImageView>(View, "--view").Name();
        bool isGraph = File.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);
        bool isArchive = File.EndsWith(".keras", StringComparison.OrdinalIgnoreCase);
        bool isKeras = isArchive || File.EndsWith(".h5", StringComparison.OrdinalIgnoreCase);
        if ((Linear ?? Embedding) is not null && (isGraph || isKeras))
            throw new InvalidCallException($"{(Linear is null ? "--embedding" : "--linear")} is for state dicts; {File} says itself which layer is which.");
        if (cell is null && !isGraph && !isKeras)
            throw new InvalidCallException("--cell is missing: a state dict does not tell its cell; irnn, rnn-tanh, rnn-relu, lstm or gru.");
        using IBackend backend = OpenBackend();
        (Network made, double? difference) = isGraph
            ? OnnxImport.Read(File, backend, cell, readout, task, terminal.Note)
            : isKeras ? (KerasImport.Read(File, backend, cell, readout, task, terminal.Note), null)
            : (StateDict.Import(File, backend, cell!.Value, readout, task, terminal.Note, Linear, Embedding), (double?)null);
        using Network imported = made;
        using Network network = new(WithWords(imported.Architecture, unit) with { View = view ?? imported.Architecture.View }, backend);
        backend.Copy(imported.Parameters.Values, network.Parameters.Values);
        ModelFile.Save(Out, network);
        foreach (string assumed in Assumptions(network.Architecture, Readout is null && !isGraph && !isArchive, Task is null)) terminal.Note(assumed);
        if (isGraph)
            terminal.Note($"read-out: {network.Architecture.Readout.Name()}; answers differ from the graph's by {difference:g2} at most");
        terminal.Result($"{Out}: {network}, {network.Architecture.ParameterCount:N0} parameters");
        terminal.Result(new JsonObject
        {
            ["model"] = Out,
            ["cell"] = network.Architecture.Cell.Name(),
            ["inputs"] = network.Architecture.Inputs,
            ["hidden"] = Terminal.Numbers(network.Architecture.Hidden),
            ["outputs"] = network.Architecture.Outputs,
            ["task"] = network.Architecture.Task.Name(),
            ["readout"] = network.Architecture.Readout.Name(),
            ["bidirectional"] = network.Architecture.IsBidirectional,
            ["vocabulary"] = network.Architecture.Vocabulary,
            ["tiedWeights"] = network.Architecture.TiesWeights,
            ["parameters"] = network.Architecture.ParameterCount,
            ["maxDifference"] = difference,
        });
    }

    // No verb can use a language model without the spelling of its tokens.
    private Architecture WithWords(Architecture architecture, TextUnit unit)
    {
        if (!architecture.IsLanguageModel)
            return VocabularyPath is null
                ? architecture
                : throw new InvalidCallException($"--vocabulary is for language models; {File} is {architecture.Summary}.");
        if (VocabularyPath is null && architecture.Unit is not null) return architecture; // a graph that gsrnn exported
        if (VocabularyPath is null)
            throw new InvalidCallException(
                $"{File} is a language model: an embedding of {architecture.Vocabulary} tokens; " +
                "name the file of its words, in their order, with --vocabulary F.");
        return architecture with { Unit = unit, Tokens = TextSource.LoadWritten(VocabularyPath, unit, architecture.Vocabulary).Tokens };
    }

    // Assumptions that the tensors do not determine, with the options that change them.
    private static IEnumerable<string> Assumptions(Architecture architecture, bool guessesReadout, bool guessesTask)
    {
        yield return architecture.HasEmbedding
            ? $"inputs: tokens 0..{architecture.Vocabulary - 1}, through an embedding" +
              $"{(architecture.TiesWeights ? " whose weights the read-out shares" : "")}"
            : $"inputs: {architecture.Inputs} real numbers per step";
        if (guessesTask)
            yield return $"task: {architecture.Task.Name()}, from {architecture.Outputs} output" +
                $"{(architecture.Outputs == 1 ? "" : "s")}; --task says otherwise";
        if (!guessesReadout) yield break;
        string seen = (architecture.Readout, architecture.IsBidirectional) switch
        {
            (GpuSpectralRnn.Networks.Readout.Every, _) => "every, an answer at each step",
            (_, true) => "last, concat(h_n) of both directions; for out[:, -1] say --readout last-step, for out.mean(1) --readout mean",
            _ => "last, out[:, -1]; for out.mean(1) say --readout mean",
        };
        yield return $"read-out: {seen}";
    }
}
