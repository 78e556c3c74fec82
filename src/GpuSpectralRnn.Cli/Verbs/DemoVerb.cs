using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("demo", HelpText = "Train a network on the built-in digits and measure it on digits it has never seen.")]
internal sealed class DemoVerb : ComputeVerb
{
    private const int TrainingDigits = 8000;
    private const int HeldOutDigits = 2000;
    private const int HiddenUnits = 128;
    private const int BatchSize = 64;

    [Option("out", Default = "gsrnn-demo", MetaValue = "DIR", HelpText = "Folder for what the demo makes.")]
    public string Out { get; set; } = "gsrnn-demo";

    [Option("epochs", Default = 20, MetaValue = "N", HelpText = "Passes over the digits.")]
    public int Epochs { get; set; } = 20;

    public override string Usage => "[--out DIR] [--device D]";

    public override string Example => "gsrnn demo --out gsrnn-demo";

    public override void Run(Terminal terminal)
    {
        if (Epochs < 1) throw new InvalidCallException($"--epochs {Epochs}: choose 1 or more.");
        OutputPath.CreateFolder(Out);
        string path = Path.Combine(Out, "digits.safetensors");
        using IBackend backend = OpenBackend();
        terminal.Note($"drawing {TrainingDigits:N0} digits to train on and {HeldOutDigits:N0} to test on");
        ISequenceData train = Digits.Create(TrainingDigits, Seed, ImageView.Row, DataPart.Train);
        ISequenceData test = Digits.Create(HeldOutDigits, Seed, ImageView.Row, DataPart.Test);
        Architecture architecture = new()
        {
            Cell = Cell.Irnn,
            Inputs = train.Layout.Features,
            Hidden = [HiddenUnits],
            Outputs = train.Layout.Outputs,
            View = ImageView.Row.Name(),
            Data = new Dictionary<string, string> { ["name"] = "digits" },
        };
        using Network network = Network.Create(architecture, backend, Seed);
        ITrainingProgress progress = ITrainingProgress.For(terminal);
        Schedule schedule = new() { Kind = ScheduleKind.OneCycle };
        TrainingSettings settings = new() { Epochs = Epochs, BatchSize = BatchSize, LearningRate = 0.003, Schedule = schedule, Seed = Seed };
        using Interruption interruption = new();
        using Trainer trainer = new(network, train, test, settings) { Stepped = progress.Step, EpochFinished = progress.Epoch };
        TrainingResult result = progress.Show(() => trainer.Run(interruption.Token));
        if (result.IsCancelled) throw new RunFailedException($"Stopped after {result.Epochs} of {Epochs} epochs; nothing was kept.");
        ModelFile.Save(path, network);
        Report(terminal, network, result, path);
    }

    private static void Report(Terminal terminal, Network network, TrainingResult result, string path)
    {
        Evaluation held = result.Validation!;
        double speed = (double)TrainingDigits * result.Epochs / result.Seconds;
        (string Name, string Value)[] rows =
        [
            ("network", $"{network}, {network.Architecture.ParameterCount:N0} parameters"),
            ("accuracy", $"{held.Value:0.00%} of {HeldOutDigits:N0} digits never seen"),
            ("loss", $"{held.Loss:0.0000}"),
            ("training", $"{result.Epochs} epochs in {result.Seconds:0.0} s, {speed:N0} sequences/s"),
            ("model", path),
        ];
        foreach ((string name, string value) in rows) terminal.Result($"{name,-10} {value}");
        terminal.Result(new JsonObject
        {
            ["metric"] = new JsonObject { ["name"] = held.Metric, ["value"] = Terminal.Number(held.Value) },
            ["loss"] = Terminal.Number(held.Loss),
            ["epochs"] = result.Epochs,
            ["seconds"] = Terminal.Number(result.Seconds),
            ["sequencesPerSecond"] = Terminal.Number(speed),
            ["parameters"] = network.Architecture.ParameterCount,
            ["device"] = network.Backend.Device.Id,
            ["model"] = path,
        });
    }
}
