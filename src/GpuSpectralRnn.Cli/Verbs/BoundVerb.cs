using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("bound", HelpText =
    "Bounds on the error of a compressed network (docs/method.md, section 9): " +
    "bias, variance, and whether they say anything (--split: default train).")]
internal sealed class BoundVerb : ModelVerb, IRidgeOption, IGroupOptions
{
    [Option("keep", MetaValue = "K", HelpText = "Units the compressed network keeps, chosen by the adjoint criterion (default: all).")]
    public int? Keep { get; set; }

    [Option("delta", Default = 0.05, MetaValue = "D", HelpText = "Probability that the bound fails, above 0 and below 1.")]
    public double Delta { get; set; } = 0.05;

    [Option("ceiling", MetaValue = "M", HelpText = "Losses are clipped to 0 to M (default: log of the number of classes; 1 for a regression).")]
    public double? Ceiling { get; set; }

    [Option("input-radius", MetaValue = "R", HelpText = "Length no input exceeds (default: the longest of the data, taken on trust for others).")]
    public double? InputRadius { get; set; }

    public double? Ridge { get; set; }

    public string? Mpi { get; set; }

    public override string Usage => $"MODEL {DataUsage} [--keep K] [--delta D]";

    public override string Example => "gsrnn bound digits.safetensors --data digits --keep 42";

    public override void Run(Terminal terminal)
    {
        if (!(Delta > 0 && Delta < 1)) throw new InvalidCallException($"--delta {Delta} is not a probability between 0 and 1; try 0.05.");
        if (Ceiling is { } ceiling) CheckNumber("--ceiling", ceiling, isZeroFine: false);
        if (InputRadius is { } radius) CheckNumber("--input-radius", radius, isZeroFine: true);
        CheckRidge(this);
        using IBackend backend = OpenBackend();
        Split ??= "train";
        (Network network, string split, ISequenceData data) = Open(backend, terminal);
        using Network owned = network;
        CompressionBound.Check(network.Architecture, data);
        using Interruption interruption = new();
        int units = network.Architecture.Hidden[0];
        bool keepsAll = Keep is null || Keep == units;
        if (Group.Rank > 0)
        {
            // Statistics are collected together, everything else is the first one's.
            if (!keepsAll) Calibrate(terminal, network, data, interruption.Token).Serve();
            new StatisticsCollector(network, data, Batch) { Replicas = Group }.CollectStates(cancellation: interruption.Token);
            return;
        }

        PruningPlan plan = keepsAll ? new PruningPlan("all", [UnitPlan.Whole(units)]) : Prune(terminal, network, data, interruption.Token);
        terminal.Note($"both networks on {data.Count:N0} sequences of {data.Name}");
        CompressionBoundSettings settings = new() { Delta = Delta, Ceiling = Ceiling, InputRadius = InputRadius, BatchSize = Batch, Replicas = Group };
        Print(terminal, network, split, plan, CompressionBound.Compute(network, plan, data, settings, interruption.Token));
    }

    private PruningPlan Prune(Terminal terminal, Network network, ISequenceData data, CancellationToken cancellation)
    {
        Calibration calibration = Calibrate(terminal, network, data, cancellation);
        PruningPlan plan = new SpectralPruning(new SpectralSettings { Ridge = Ridge }).Plan(calibration, [Keep!.Value]);
        calibration.Release();
        return plan;
    }

    private Calibration Calibrate(Terminal terminal, Network network, ISequenceData data, CancellationToken cancellation) =>
        new(network, data, new CalibrationSettings { Seed = Seed, BatchSize = Batch, Progress = terminal.Note }, cancellation) { Replicas = Group };

    private void Print(Terminal terminal, Network network, string split, PruningPlan plan, CompressionBound bound)
    {
        (GeneralizationBound risk, BoundSetting setting, OutputError error) = (bound.Risk, bound.Setting, bound.Error);
        terminal.Result($"{network}, {setting.Hidden} of {network.Architecture.Hidden[0]} units kept, {setting.Samples:N0} sequences, split {split}");
        terminal.Result(
            $"approximation ||f - f#||: measured {error.AllSteps:g4} over all steps, {error.AsRead:g4} as read; upper bound {bound.Upper:g4}");
        terminal.Result($"loss clipped to 0 to {setting.LossCeiling:g4}: {error.Risk:g4}, compressed {error.CompressedRisk:g4}");
        terminal.Result($"bias      {risk.Bias:g4}    (the loss, and {setting.LossLipschitz:g3} times what compression changes as read)");
        terminal.Result($"variance  {risk.Variance:g4}    ({setting.Parameters:N0} parameters, log L = {risk.LogLipschitz:g4})");
        terminal.Result(
            $"total     {risk.Total:g4}    (with probability {1 - Delta:0.####} at least, if no input is longer than {setting.InputRadius:g4})");
        terminal.Result(risk.IsVacuous
            ? $"vacuous: the clipped loss is never above {setting.LossCeiling:g4} anyway; look at how bias and variance trade off in --keep"
            : $"not vacuous: below {setting.LossCeiling:g4}, the most that the clipped loss can be");
        terminal.Result("derived for this program by a covering argument (docs/method.md, section 9.2), not a theorem of the paper");
        terminal.Result(new JsonObject
        {
            ["bias"] = Terminal.Number(risk.Bias),
            ["variance"] = Terminal.Number(risk.Variance),
            ["total"] = Terminal.Number(risk.Total),
            ["vacuous"] = risk.IsVacuous,
            ["approximation"] = new JsonObject
            {
                ["measured"] = Terminal.Number(error.AllSteps),
                ["upper"] = Terminal.Number(bound.Upper),
                ["asRead"] = Terminal.Number(error.AsRead),
                ["amplification"] = Terminal.Number(bound.Amplification),
            },
            ["risk"] = new JsonObject
            {
                ["ceiling"] = Terminal.Number(setting.LossCeiling),
                ["before"] = Terminal.Number(error.Risk),
                ["after"] = Terminal.Number(error.CompressedRisk),
            },
            ["hidden"] = new JsonObject { ["before"] = network.Architecture.Hidden[0], ["after"] = setting.Hidden },
            ["kept"] = Terminal.Numbers(plan.Axes[0].Kept),
            ["parameters"] = setting.Parameters,
            ["logLipschitz"] = Terminal.Number(risk.LogLipschitz),
            ["inputRadius"] = Terminal.Number(setting.InputRadius),
            ["sequences"] = setting.Samples,
            ["delta"] = Terminal.Number(Delta),
            ["split"] = split,
            ["device"] = network.Backend.Device.Id,
        });
    }
}
