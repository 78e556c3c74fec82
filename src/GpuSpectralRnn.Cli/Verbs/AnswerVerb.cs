using System.Text;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("answer", HelpText = "Ask a reader a question about a text.")]
internal sealed class AnswerVerb : ComputeVerb
{
    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file of a reader (train --data reading or squad).")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("context", Required = true, MetaValue = "FILE", HelpText = "The text, UTF-8.")]
    [ReadsFile]
    public string ContextPath { get; set; } = "";

    [Option("question", Required = true, MetaValue = "TEXT", HelpText = "What is asked.")]
    public string Question { get; set; } = "";

    public override string Usage => "MODEL --context FILE --question TEXT";

    public override string Example => "gsrnn answer reader.safetensors --context text.txt --question \"Who gave the lamp to Boris?\"";

    public override void Run(Terminal terminal)
    {
        WordText question = WordText.Split(Question);
        if (question.Words.Count == 0) throw new InvalidCallException("--question has no words; ask something.");
        BidafRecipe reader = ModelFile.LoadRecipe(ModelPath) as BidafRecipe
            ?? throw new InvalidCallException($"{ModelPath} is no reader of texts; train one with --data reading or squad.");
        WordText context = WordText.Split(ReadText(ContextPath));
        if (context.Words.Count == 0) throw new InvalidCallException($"--context {ContextPath} has no words; name a text to read.");
        int most = reader.ContextLength > 0 ? reader.ContextLength : int.MaxValue;
        if (context.Words.Count > most)
            terminal.Note($"{ContextPath} has {context.Words.Count:N0} words; the first {most:N0} are read, as the model was trained");
        ReadingData data = new("the question", [new ReadingQuestion("question", context, question, [], null)], reader.Vocabulary, most);
        using IBackend backend = OpenBackend();
        using Network network = ModelFile.Load(ModelPath, backend);
        using Evaluator evaluator = new(network, data, 1);
        SpanAnswer found = default;
        evaluator.Answer((_, answer) => found = answer);
        if (!double.IsFinite(found.LogProbability)) throw new RunFailedException("The answer is not finite: the network diverged. Train it again.");
        string answer = context.Between(found.First, found.Last);
        double share = Math.Exp(found.LogProbability);
        terminal.Result(answer);
        terminal.Note($"probability {share:0.000}, words {found.First + 1} to {found.Last + 1} of {context.Words.Count:N0}");
        terminal.Result(new JsonObject
        {
            ["answer"] = answer,
            ["probability"] = Terminal.Number(share),
            ["start"] = context.Words[found.First].Start,
            ["words"] = context.Words.Count,
            ["device"] = backend.Device.Id,
        });
    }

    private static string ReadText(string path)
    {
        StringBuilder text = new();
        using Utf8Reader reader = Utf8Reader.Open(path);
        while (reader.Next(out Rune character)) text.Append(character.ToString());
        return text.ToString();
    }
}
