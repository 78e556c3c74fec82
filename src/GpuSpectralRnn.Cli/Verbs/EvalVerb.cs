using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("eval", HelpText = "Measure a model on a data set.")]
internal sealed class EvalVerb : ModelVerb
{
    public override string Usage => $"MODEL ({DataUsage} | --input F.wav)";

    public override string Example => "gsrnn eval digits.safetensors --data digits";

    public override void Run(Terminal terminal)
    {
        using IBackend backend = OpenBackend();
        (Network network, string split, ISequenceData data) = Open(backend, terminal);
        using Network owned = network;
        using Interruption interruption = new();
        using Evaluator evaluator = new(network, data, Batch) { Progress = Counter(terminal, data.Count) };
        Evaluation result = evaluator.Run(interruption.Token);
        CheckFinite(result, data);
        double? explained = Explained(result, data);
        ForecastErrors? errors = ForecastErrors.Measure(evaluator, data, Source, interruption.Token);
        terminal.Result(
            $"{result}{ExplainedText(explained)}{errors} on {Extent(data, result.Rows)}, split {split}; " +
            $"{network}, {network.Graph.ParameterCount:N0} parameters");
        JsonObject json = new()
        {
            ["metric"] = result.Metric,
            ["value"] = Terminal.Number(result.Value),
            ["loss"] = Terminal.Number(result.Loss),
            ["sequences"] = data.Count,
            ["split"] = split,
            ["parameters"] = network.Graph.ParameterCount,
            ["hidden"] = Terminal.Numbers(network.Recipe.CountUnits(network.Graph)),
            ["device"] = backend.Device.Id,
        };
        if (result.F1 is { } f1) json["f1"] = Terminal.Number(f1);
        if (explained is { } share) json["r2"] = Terminal.Number(share);
        if (errors is not null) json["targets"] = errors.ToJson();
        if (data.Layout.IsStream) json["columns"] = Batch;
        if (result.Perplexity is { } perplexity)
        {
            json["perplexity"] = Terminal.Number(perplexity);
            json["tokens"] = result.Rows;
        }

        terminal.Result(json);
    }
}
