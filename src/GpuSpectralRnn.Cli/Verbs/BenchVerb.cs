using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("bench", HelpText = "Time training steps and inference of recurrent layers of known sizes, and single operations.")]
internal sealed class BenchVerb : ComputeVerb
{
    private const string Layers = "layers";
    private const string Operations = "operations";

    [Option("only", MetaValue = "NAME...",
        HelpText = "Which cases, by name (rnn-row, lstm-ptb-large, gemm-4096, ...) or as layers or operations, " +
            "which leave out those that take long (default: layers).")]
    public IEnumerable<string> Only { get; set; } = [];

    [Option("runs", Default = 7, MetaValue = "N", HelpText = "Measured runs of each, after two to warm up; the medians count.")]
    public int Runs { get; set; } = 7;

    [Option("against", MetaValue = "FILE", HelpText = "JSON of an earlier gsrnn bench, or of torch_peer.py: its times stand beside ours.")]
    [ReadsFile]
    public string? Against { get; set; }

    [Option("graphs", Default = "on", MetaValue = "on|off", HelpText = "Whether launches that come again and again are queued as CUDA graphs.")]
    public string Graphs { get; set; } = "on";

    protected override bool UsesGraphs => Graphs switch
    {
        "on" => true,
        "off" => false,
        _ => throw new InvalidCallException($"--graphs {Graphs}: choose on or off."),
    };

    public override string Usage => "[--only NAME...] [--runs N] [--against FILE] [--graphs on|off] [--json]";

    public override string Example => "gsrnn bench --only rnn-row gemm-1024 --runs 21";

    public override void Run(Terminal terminal)
    {
        if (Runs < 1) throw new InvalidCallException($"--runs {Runs}: choose 1 or more.");
        string[] names = [.. (Only.Any() ? Only : [Layers]).SelectMany(Expand).Distinct()];
        OtherTimes? others = Against is null ? null : OtherTimes.Read(Against);
        using IBackend backend = OpenBackend();
        int threads = backend is HostBackend host ? host.Threads : 1;
        terminal.Note(backend is HostBackend ? "measuring peaks" : $"compiling kernels for {backend.Device.Id} and measuring its peaks");
        DevicePeaks peaks = DevicePeaks.Measure(backend);
        Say($"at most {peaks.Gflops:0.0} GFLOP/s in a square product and {peaks.GigabytesPerSecond:0.0} GB/s in a copy; " +
            "shares are of the nearer of these two");
        JsonObject cases = [];
        foreach (string name in names)
        {
            CaseTimes times = Time(name, backend, peaks);
            times.Others = others?.Find(name);
            Say(times.Line());
            cases[name] = times.Json();
        }

        Say($"on {backend.Device.Id} ({backend.Device.Name}), {threads} thread{(threads == 1 ? "" : "s")}");
        terminal.Result(new JsonObject
        {
            ["device"] = backend.Device.Id,
            ["name"] = backend.Device.Name,
            ["threads"] = threads,
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
            RecurrentTiming t = layer.Run(backend, Runs);
            return new CaseTimes(name, ["trainMs", "inferMs"], [t.TrainMilliseconds, t.InferMilliseconds], t.Gflops, t.GigabytesPerSecond, peaks)
            {
                DeviceBytes = t.DeviceBytes,
                TensorBytes = layer.TensorBytes,
            };
        }

        OperationBenchmark operation = OperationBenchmark.Cases.First(c => c.Name == name);
        OperationTiming o = operation.Run(backend, Runs);
        return new CaseTimes(name, ["ms"], [o.Milliseconds], o.Gflops, o.GigabytesPerSecond, peaks)
        {
            Plan = backend is IlgpuBackend ilgpu ? operation.Plan(ilgpu) : null,
        };
    }
}
