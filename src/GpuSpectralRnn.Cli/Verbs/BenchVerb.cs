using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Reports;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("bench", HelpText = "Time training steps and inference of recurrent layers of known sizes, single operations, or models against each other.")]
internal sealed class BenchVerb : ComputeVerb
{
    private const string Layers = "layers";
    private const string Operations = "operations";

    [Option("only", MetaValue = "NAME...",
        HelpText = "Which cases, by name (rnn-row, lstm-ptb-large, gemm-4096, ...) or as layers or operations, " +
            "which leave out those that take long (default: layers).")]
    public IEnumerable<string> Only { get; set; } = [];

    [Option("runs", Default = 7, MetaValue = "N", HelpText = "Measured runs of each, after two to warm up and a second of them; the medians count.")]
    public int Runs { get; set; } = 7;

    [Option("against", MetaValue = "FILE...", HelpText =
        "JSON of earlier gsrnn bench runs, or of other libraries' on the same cases: the fastest of them stands beside ours, and how many times faster ours is.")]
    [ReadsFile]
    public IEnumerable<string> Against { get; set; } = [];

    [Option("model", MetaValue = "MODEL...", HelpText =
        "Instead of known cases: these models against the first, in turns on the same random input. A file, or a stack of random weights by its sizes, " +
        "lstm:28-128-10, or with 10,000 words as 200 numbers each lstm:10000x200-200-10000.")]
    [ReadsFile]
    public IEnumerable<string> Models { get; set; } = [];

    [Option("steps", MetaValue = "T", HelpText = "With --model: steps of a sequence (default 30).")]
    public int? Steps { get; set; }

    [Option("batch", Separator = ',', MetaValue = "B[,B...]", HelpText = "With --model: sequences of a pass (default 1,20).")]
    public IEnumerable<int> Batches { get; set; } = [];

    [Option("graphs", Default = "on", MetaValue = "on|off", HelpText = "Whether launches that come again and again are queued as CUDA graphs.")]
    public string Graphs { get; set; } = "on";

    protected override bool UsesGraphs => Graphs switch
    {
        "on" => true,
        "off" => false,
        _ => throw new InvalidCallException($"--graphs {Graphs}: choose on or off."),
    };

    public override string Usage =>
        "([--only NAME...] [--against FILE...] | --model A --model B ... [--steps T] [--batch B,...]) [--runs N] [--graphs on|off] [--json]";

    public override string Example => "gsrnn bench --model lstm:28-128-10 --model lstm:28-32-10 --batch 1,20 --runs 21";

    public override void Run(Terminal terminal)
    {
        if (Runs < 1) throw new InvalidCallException($"--runs {Runs}: choose 1 or more.");
        if (Models.Any())
        {
            CompareModels(terminal);
            return;
        }

        if (Steps is not null || Batches.Any()) throw new InvalidCallException($"{(Steps is null ? "--batch" : "--steps")} belongs to --model; the known cases have their sizes.");
        string[] names = [.. (Only.Any() ? Only : [Layers]).SelectMany(Expand).Distinct()];
        OtherTimes[] others = [.. Against.Select(OtherTimes.Read)];
        using IBackend backend = OpenBackend();
        terminal.Note(backend is HostBackend ? "measuring peaks" : $"compiling kernels for {backend.Device.Id} and measuring its peaks");
        DevicePeaks peaks = DevicePeaks.Measure(backend);
        Say($"at most {peaks.Gflops:0.0} GFLOP/s in a square product and {peaks.GigabytesPerSecond:0.0} GB/s in a copy; " +
            "shares are of the nearer of these two");
        JsonObject cases = [];
        foreach (string name in names)
        {
            CaseTimes times = Time(name, backend, peaks) with { Others = others };
            Say(times.Line());
            cases[name] = times.Json();
        }

        Say($"on {Described(backend)}");
        terminal.Result(new JsonObject
        {
            ["device"] = backend.Device.Id,
            ["name"] = backend.Device.Name,
            ["threads"] = ThreadsOf(backend),
            ["blas"] = backend is IlgpuBackend ilgpu ? ilgpu.UsesCuBlas ? "cublas" : Blas == "kernels-tf32" ? Blas : "kernels" : null,
            ["graphs"] = GraphsOf(backend),
            ["peak"] = new JsonObject { ["gflops"] = Terminal.Number(peaks.Gflops), ["gbs"] = Terminal.Number(peaks.GigabytesPerSecond) },
            ["cases"] = cases,
        });

        // The table is the result, or, beside JSON, the progress.
        void Say(string line)
        {
            if (terminal.IsJson) terminal.Note(line);
            else terminal.Result(line);
        }
    }

    private void CompareModels(Terminal terminal)
    {
        if (Only.Any() || Against.Any()) throw new InvalidCallException("--model times models, not known cases; leave --only and --against out.");
        int steps = Steps ?? 30;
        int[] batches = Batches.Any() ? [.. Batches.Distinct()] : [1, 20];
        if (steps < 1) throw new InvalidCallException($"--steps {steps}: choose 1 or more.");
        if (batches.FirstOrDefault(batch => batch < 1, 1) is var wrong and < 1) throw new InvalidCallException($"--batch {wrong}: choose 1 or more.");
        using IBackend backend = OpenBackend();
        using ModelBenchmark benchmark = new(backend, [.. Models]);
        Table table = new(
            new("model"), new("batch"), new("ms/sequence", "0.0000"), new("us/step", "0.0"), new("as fast", "0.00 x"), new("quartiles"),
            new("multiply-adds/sequence", "#,0"), new("fewer", "0.00 x"));
        JsonArray results = [];
        foreach (int batch in batches)
        {
            terminal.Note($"{Runs} rounds of {benchmark.Models.Count} models, batch {batch}");
            IReadOnlyList<ModelTiming> times = benchmark.Run(steps, batch, Runs);
            for (int model = 0; model < times.Count; model++)
            {
                ModelTiming time = times[model];
                double sequence = time.Milliseconds / batch, step = 1000 * time.Milliseconds / steps;
                table.Add(
                    benchmark.Models[model], batch, sequence, step, time.Speed, $"{time.Lower:0.00}-{time.Upper:0.00}",
                    benchmark.MultiplyAdds(model, steps), benchmark.Saving(model, steps));
                results.Add(new JsonObject
                {
                    ["model"] = benchmark.Models[model],
                    ["batch"] = batch,
                    ["sequenceMs"] = Terminal.Number(sequence),
                    ["stepMs"] = Terminal.Number(step / 1000),
                    ["speedRatio"] = Terminal.Number(time.Speed),
                    ["speedQuartiles"] = new JsonArray(Terminal.Number(time.Lower), Terminal.Number(time.Upper)),
                    ["parameters"] = benchmark.Parameters(model),
                    ["multiplyAddsPerSequence"] = benchmark.MultiplyAdds(model, steps),
                    ["multiplyAddRatio"] = Terminal.Number(benchmark.Saving(model, steps)),
                });
            }
        }

        terminal.Result(table.ToText().TrimEnd());
        terminal.Result(
            $"{steps} steps; medians of {Runs} rounds in turns, ratios to {benchmark.Models[0]} within a round; "
            + $"a step is one of all sequences of the batch; on {Described(backend)}");
        terminal.Result(new JsonObject
        {
            ["device"] = backend.Device.Id,
            ["name"] = backend.Device.Name,
            ["threads"] = ThreadsOf(backend),
            ["cases"] = new JsonObject(),
            ["steps"] = steps,
            ["models"] = results,
        });
    }

    private static int ThreadsOf(IBackend backend) => backend is HostBackend host ? host.Threads : 1;

    private static string Described(IBackend backend) =>
        $"{backend.Device.Id} ({backend.Device.Name}), {ThreadsOf(backend)} thread{(ThreadsOf(backend) == 1 ? "" : "s")}";

    private static JsonObject? GraphsOf(IBackend backend) => backend is not IlgpuBackend { Graphs: var graphs } ? null : new JsonObject
    {
        ["on"] = graphs.IsOn,
        ["refusal"] = graphs.Refusal,
        ["recorded"] = graphs.Recorded,
        ["launched"] = graphs.Launched,
    };

    private static IEnumerable<string> Expand(string name) => name switch
    {
        Layers => RecurrentBenchmark.Cases.Where(c => !c.IsLong).Select(c => c.Name),
        Operations => OperationBenchmark.Cases.Where(c => !c.IsLong).Select(c => c.Name),
        _ when All.Contains(name) => [name],
        _ => throw new InvalidCallException($"--only {name}: no such case; choose {Layers}, {Operations}, or among {string.Join(", ", All)}."),
    };

    private static IEnumerable<string> All => [.. RecurrentBenchmark.Cases.Select(c => c.Name), .. OperationBenchmark.Cases.Select(c => c.Name)];

    private CaseTimes Time(string name, IBackend backend, DevicePeaks peaks)
    {
        if (RecurrentBenchmark.Cases.FirstOrDefault(c => c.Name == name) is { } layer)
        {
            RecurrentTiming t = layer.Run(backend, Runs, RecurrentBenchmark.WarmUp);
            return new CaseTimes(name, ["trainMs", "inferMs"], [t.TrainMilliseconds, t.InferMilliseconds], t.Gflops, t.GigabytesPerSecond, peaks)
            {
                DeviceBytes = t.DeviceBytes,
                TensorBytes = layer.TensorBytes,
            };
        }

        OperationBenchmark operation = OperationBenchmark.Cases.First(c => c.Name == name);
        OperationTiming o = operation.Run(backend, Runs, RecurrentBenchmark.WarmUp);
        return new CaseTimes(name, ["ms"], [o.Milliseconds], o.Gflops, o.GigabytesPerSecond, peaks)
        {
            Plan = backend is IlgpuBackend ilgpu ? operation.Plan(ilgpu) : null,
        };
    }
}
