using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("bench", HelpText = "Time training steps and inference of recurrent layers of known sizes.")]
internal sealed class BenchVerb : ComputeVerb
{
    [Option("only", MetaValue = "NAME...",
        HelpText = "Which cases: rnn-row, rnn-pixel, rnn-pixel-b256, lstm-row, gru-row, lstm-ptb-small, -medium or -large (default: all but the last).")]
    public IEnumerable<string> Only { get; set; } = [];

    [Option("runs", Default = 7, MetaValue = "N", HelpText = "Measured runs of each, after two to warm up; the medians count.")]
    public int Runs { get; set; } = 7;

    public override string Usage => "[--only NAME...] [--runs N] [--json]";

    public override string Example => "gsrnn bench --only rnn-row --runs 21";

    public override void Run(Terminal terminal)
    {
        if (Runs < 1) throw new InvalidCallException($"--runs {Runs}: choose 1 or more.");
        RecurrentBenchmark[] cases = Only.Any() ? [.. Only.Select(Find)] : [.. RecurrentBenchmark.Cases.Where(c => !c.IsLong)];
        using IBackend backend = OpenBackend();
        int threads = backend is HostBackend host ? host.Threads : 1;
        JsonObject times = [];
        foreach (RecurrentBenchmark layer in cases)
        {
            RecurrentTiming result = layer.Run(backend, Runs);
            terminal.Result(
                $"{layer.Name,-16} training step {result.TrainMilliseconds,9:0.000} ms   inference {result.InferMilliseconds,9:0.000} ms   " +
                $"{result.Gflops,8:0.0} GFLOP/s in training");
            times[layer.Name] = new JsonObject
            {
                ["trainMs"] = Terminal.Number(result.TrainMilliseconds),
                ["inferMs"] = Terminal.Number(result.InferMilliseconds),
                ["gflops"] = Terminal.Number(result.Gflops),
            };
        }

        terminal.Result($"on {backend.Device.Id} ({backend.Device.Name}), {threads} thread{(threads == 1 ? "" : "s")}");
        terminal.Result(new JsonObject { ["device"] = backend.Device.Id, ["threads"] = threads, ["cases"] = times });
    }

    private static RecurrentBenchmark Find(string name) => RecurrentBenchmark.Cases.FirstOrDefault(c => c.Name == name)
        ?? throw new InvalidCallException(
            $"--only {name}: no such case; choose among {string.Join(", ", RecurrentBenchmark.Cases.Select(c => c.Name))}.");
}
