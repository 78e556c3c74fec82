using GpuSpectralRnn.Interchange;
using System.Diagnostics;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("sample", HelpText = "Let a language model write: see what it learned, and how fast it answers one token at a time.")]
internal sealed class SampleVerb : ComputeVerb
{
    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file (safetensors) of a language model.")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("prompt", MetaValue = "TEXT", HelpText = "What it goes on from (default: the start of a line).")]
    public string Prompt { get; set; } = "";

    [Option("length", Default = 100, MetaValue = "N", HelpText = "Words or characters to write.")]
    public int Length { get; set; } = 100;

    [Option("temperature", Default = 1.0, MetaValue = "X",
        HelpText = "Below 1 the likely becomes likelier, above 1 less so; 0: always the likeliest.")]
    public double Temperature { get; set; } = 1;

    [Option("top-k", MetaValue = "K", HelpText = "Choose among the K likeliest only.")]
    public int? TopK { get; set; }

    public override string Usage => "MODEL [--prompt TEXT] [--length N] [--temperature X] [--top-k K]";

    public override string Example => "gsrnn sample shakespeare.safetensors --prompt \"ROMEO:\" --length 400 --temperature 0.8";

    public override void Run(Terminal terminal)
    {
        if (Length < 1) throw new InvalidCallException($"--length {Length}: choose 1 or more.");
        if (!(Temperature >= 0 && double.IsFinite(Temperature)))
            throw new InvalidCallException($"--temperature {Temperature}: choose a number above 0, or 0 for the likeliest.");
        if (TopK < 1) throw new InvalidCallException($"--top-k {TopK}: choose 1 or more.");
        Architecture architecture = ModelFile.LoadArchitecture(ModelPath);
        if (!architecture.IsLanguageModel)
            throw new InvalidCallException($"{ModelPath} is no language model, which sample needs; it is {architecture.Summary}.");
        Vocabulary vocabulary = architecture.CreateVocabulary() ?? throw new InvalidCallException(
            $"{ModelPath} knows {architecture.Vocabulary} tokens but not how they are written; import it again with --vocabulary F.");
        int[] prompt = Encode(terminal, vocabulary);
        using IBackend backend = OpenBackend();
        using Network network = ModelFile.Load(ModelPath, backend);
        using Interruption interruption = new();
        int[] start = prompt.Length > 0 ? prompt : [vocabulary.LineEndNumber ?? 0];
        using TokenSampler sampler = new(network, start, Temperature, TopK, Seed, vocabulary.UnknownNumber);
        List<int> written = [.. prompt];
        Stopwatch clock = Stopwatch.StartNew();
        for (int i = 0; i < Length; i++)
        {
            interruption.Token.ThrowIfCancellationRequested();
            written.Add(sampler.Next());
        }

        double milliseconds = clock.Elapsed.TotalMilliseconds / Length;
        string text = vocabulary.Decode(written);
        terminal.Result(text);
        terminal.Note($"{network}: {milliseconds:0.###} ms per token ({1000 / milliseconds:N0} tokens/s), one text at a time");
        terminal.Result(new JsonObject
        {
            ["text"] = text,
            ["prompt"] = Prompt,
            ["tokens"] = Length,
            ["temperature"] = Temperature,
            ["topK"] = TopK,
            ["seed"] = Seed,
            ["msPerToken"] = Terminal.Number(milliseconds),
            ["device"] = backend.Device.Id,
        });
    }

    private int[] Encode(Terminal terminal, Vocabulary vocabulary)
    {
        int[] prompt = vocabulary.EncodeBeginning(Prompt);
        int unknown = prompt.Count(number => number == vocabulary.UnknownNumber);
        if (unknown > 0 && !Prompt.Contains(Vocabulary.Unknown, StringComparison.Ordinal))
            terminal.Note(
                $"{unknown} of the prompt's {prompt.Length} tokens are not in the model's vocabulary; " +
                $"they are read as {vocabulary.Tokens[vocabulary.UnknownNumber!.Value]}");
        return prompt;
    }
}
