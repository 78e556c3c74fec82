using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("predict", HelpText =
    "What a model answers: logits [N, C], or [N, T, V] where it answers at every step, of a reader the answers as JSON, in a file; "
    + "without one, where answers have names, a line for each.")]
internal sealed class PredictVerb : ModelVerb
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Option("out", MetaValue = "Y.npy", HelpText =
        "Where to write the answers, float32; of csv in the columns' units; of a reader one JSON object of answers by the questions' ids, as SQuAD's "
        + "evaluation reads it. Where classes or columns have names it may be left out: each answer is a line then.")]
    [WritesFile]
    public string? Out { get; set; }

    public override string Usage => $"MODEL ({DataUsage} | --input F.wav | --file F.csv) [--out Y.npy]";

    public override string Example => "gsrnn predict digits.safetensors --data digits --out logits.npy";

    public override void Run(Terminal terminal)
    {
        using IBackend backend = OpenBackend();
        (Network network, string split, ISequenceData data) = Open(backend, terminal, answers: true);
        using Network owned = network;
        using Interruption interruption = new();
        using Evaluator evaluator = new(network, data, Batch) { Progress = Counter(terminal, data.Count) };
        if (SpanAnswers.AreOf(network.Graph) && data.Texts is { } texts)
        {
            WriteAnswers(terminal, evaluator, split, data, texts, interruption.Token);
            return;
        }

        if (Out is null)
        {
            Tell(terminal, evaluator, data, interruption.Token);
            return;
        }

        Shape shape = evaluator.OutputShape;
        CheckRoom(terminal, shape, Out);
        IReadOnlyList<TargetScale>? targets = Source.Targets;
        NpyFile.Write(Out, shape, write => evaluator.Predict(CheckFinite(targets is null ? write : Restored(write, targets)), interruption.Token));
        terminal.Result($"{Out}: {shape} for {data.Name}, split {split}");
        terminal.Result(new JsonObject
        {
            ["out"] = Out,
            ["shape"] = Terminal.Numbers(shape.ToArray()),
            ["sequences"] = data.Count,
            ["split"] = split,
            ["device"] = backend.Device.Id,
        });
    }

    private void WriteAnswers(
        Terminal terminal, Evaluator evaluator, string split, ISequenceData data, IReadingTexts texts, CancellationToken cancellation)
    {
        if (Out is null) throw NoOut();
        Dictionary<string, string> answers = [];
        evaluator.Answer(
            (number, answer) =>
            {
                ReadingQuestion question = texts.Question(number);
                if (!double.IsFinite(answer.LogProbability))
                    throw new RunFailedException($"The answer to {question.Id} is not finite: the network diverged. Train it again.");
                answers[question.Id] = question.Context.Between(answer.First, answer.Last);
            },
            cancellation);
        AtomicFile.Write(Out, stream => JsonSerializer.Serialize(stream, answers, Readable));
        terminal.Result($"{Out}: {answers.Count:N0} answers for {data.Name}, split {split}");
        terminal.Result(new JsonObject { ["out"] = Out, ["answers"] = answers.Count, ["sequences"] = data.Count, ["split"] = split });
    }

    private void Tell(Terminal terminal, Evaluator evaluator, ISequenceData data, CancellationToken cancellation)
    {
        (IReadOnlyList<string>? classes, IReadOnlyList<TargetScale>? targets) = (Source.Classes, Source.Targets);
        if (classes is null && targets is null) throw NoOut();
        AnswerLines answers = new(data, classes, targets);
        evaluator.Predict(CheckFinite(answers.Add), cancellation);
        foreach (string line in answers.Lines) terminal.Result(line);
        terminal.Result(new JsonObject { ["answers"] = answers.Json, ["sequences"] = data.Count });
    }

    private static InvalidCallException NoOut() => new("predict needs --out; see 'gsrnn predict --help'.");

    private static Action<int, ReadOnlySpan<float>> Restored(Action<int, ReadOnlySpan<float>> write, IReadOnlyList<TargetScale> targets)
    {
        float[] restored = new float[targets.Count];
        return (row, values) =>
        {
            for (int d = 0; d < restored.Length; d++) restored[d] = (float)targets[d].Restore(values[d]);
            write(row, restored);
        };
    }

    private static Action<int, ReadOnlySpan<float>> CheckFinite(Action<int, ReadOnlySpan<float>> write) => (row, values) =>
    {
        if (values.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) is >= 0 and var wrong)
            throw new RunFailedException(
                $"The answer to sequence {row} is {values[wrong]}: the network diverged, or its inputs are far from those it was trained on.");
        write(row, values);
    };

    /// <summary>Announces large outputs, and refuses them before the work where the disk has no room.</summary>
    private static void CheckRoom(Terminal terminal, Shape shape, string path)
    {
        const double mega = 1e6;
        double size = shape.Count * sizeof(float) / mega;
        double room = new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).AvailableFreeSpace / mega;
        if (size > room)
            throw new InvalidCallException(
                $"--out {path}: the answers {shape} take {size:N0} MB, only {room:N0} MB are free there; choose another disk, or a --limit.");
        if (size > 100) terminal.Note($"{path}: {shape}, {size:N0} MB");
    }
}
