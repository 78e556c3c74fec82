using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly IBackend backend = new HostBackend();

    // 23 sequences in batches of 4: six steps an epoch, the last of three sequences.
    private static readonly TrainingSettings Settings = new() { Epochs = 3, BatchSize = 4, LearningRate = 0.02, Seed = 9 };

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_does_not()
    {
        float[] first = Train(Settings).Weights;

        Assert.Equal(first, Train(Settings).Weights);
        Assert.NotEqual(first, Train(Settings with { Seed = 10 }).Weights);
    }

    [Theory]
    [InlineData(TargetKind.Label, Readout.Last)]
    [InlineData(TargetKind.Label, Readout.Mean)]
    [InlineData(TargetKind.LabelPerStep, Readout.Every)]
    [InlineData(TargetKind.Value, Readout.Last)]
    public void The_loss_falls(TargetKind target, Readout readout)
    {
        List<double> losses = [];
        (TrainingResult result, _) = Train(Settings with { Epochs = 40 }, target, readout, onEpoch: report => losses.Add(report.Training.Loss));

        Assert.Equal(40, losses.Count);
        Assert.True(losses[^1] < 0.7 * losses[0], $"The loss went from {losses[0]} to {losses[^1]}.");
        Assert.Equal(240, result.Steps);
        Assert.Equal(losses[^1], result.Training!.Loss);
    }

    [Theory]
    [InlineData(OptimizerKind.Sgd, 0, 1)]
    [InlineData(OptimizerKind.Momentum, 0, 4)]
    [InlineData(OptimizerKind.Rmsprop, 0, 5)]
    [InlineData(OptimizerKind.Adam, 0, 6)]
    [InlineData(OptimizerKind.Adam, 2, 7)]
    [InlineData(OptimizerKind.Adamw, 2, 17)]
    public void Stopped_and_resumed_a_run_ends_with_the_same_bits(OptimizerKind optimizer, int patience, int stopAfter)
    {
        TrainingSettings settings = Settings with
        { Optimizer = optimizer, Patience = patience, WeightDecay = 0.01, Schedule = new() { Kind = ScheduleKind.OneCycle } };
        (TrainingResult whole, float[] expected) = Train(settings);
        string path = folder.File("run");
        using (CancellationTokenSource stop = new())
        {
            (TrainingResult stopped, _) = Train(
                settings, path: path, cancellation: stop.Token, onStep: report => { if (report.Step == stopAfter) stop.Cancel(); });
            Assert.True(stopped.IsCancelled);
            Assert.Equal(stopAfter, stopped.Steps);
        }

        Checkpoint checkpoint = Checkpoint.Load(path);
        Assert.Equal(stopAfter, checkpoint.State.Step);
        (TrainingResult resumed, float[] weights) = Train(checkpoint.Settings, path: path, resume: checkpoint);

        Assert.Equal(expected, weights);
        Assert.Equal(whole.Validation, resumed.Validation);
        Assert.Equal(whole.BestEpoch, resumed.BestEpoch);
        Close.Equal(whole.Training!.Loss, resumed.Training!.Loss, rtol: 1e-12, atol: 0); // the sum of an epoch's losses was cut in two
        Assert.Equal(whole.Training.Value, resumed.Training.Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dropout_changes_the_weights_and_a_resumed_run_drops_the_same(bool isBidirectional)
    {
        Architecture architecture =
            NetworkTests.Make(Cell.Lstm, "6,5", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 3)
                with { IsBidirectional = isBidirectional };
        TrainingSettings settings = Settings with { Dropout = 0.4 };
        float[] expected = Train(settings, architecture: architecture).Weights;
        Assert.Equal(expected, Train(settings, architecture: architecture).Weights);
        Assert.NotEqual(expected, Train(Settings, architecture: architecture).Weights);
        string path = folder.File("run");
        using (CancellationTokenSource stop = new())
            Train(
                settings, path: path, cancellation: stop.Token,
                onStep: report => { if (report.Step == 8) stop.Cancel(); }, architecture: architecture);
        Checkpoint checkpoint = Checkpoint.Load(path);

        Assert.Equal(8, checkpoint.State.Step);
        Assert.Equal(expected, Train(settings, resume: checkpoint, architecture: architecture).Weights);
    }

    [Fact]
    public void Dropout_needs_two_layers_and_a_share()
    {
        Assert.Contains("between layers", Assert.Throws<InvalidCallException>(() => Train(Settings with { Dropout = 0.5 })).Message);
        Assert.Contains("Dropout 1", Assert.Throws<InvalidCallException>(() => Train(Settings with { Dropout = 1 })).Message);
    }

    // Dropout, a last batch that is smaller, and for the stream a state that is carried on.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_warm_up_changes_no_bit_of_a_run_and_of_a_resumed_one(bool isStream)
    {
        TokenData data = new(14, 6, 7, isStream);
        TrainingSettings settings = Settings with { Dropout = 0.3, Optimizer = OptimizerKind.Adam };
        string path = folder.File("run");
        float[] expected = Run(isWarm: false, stopAfter: 0, resumes: false);
        Assert.Equal(expected, Run(isWarm: true, stopAfter: 0, resumes: false));
        Run(isWarm: true, stopAfter: 6, resumes: false);
        Assert.Equal(expected, Run(isWarm: true, stopAfter: 0, resumes: true));

        float[] Run(bool isWarm, int stopAfter, bool resumes)
        {
            using CancellationTokenSource stop = new();
            using Network network = TestNetworks.MakeLanguageModel(backend, Cell.Lstm, [5, 4]);
            using Trainer trainer = new(network, data, null, settings)
            {
                CheckpointPath = stopAfter > 0 ? path : null,
                ReportEvery = TimeSpan.Zero,
                Stepped = report => { if (report.Step == stopAfter) stop.Cancel(); },
            };
            if (isWarm) trainer.WarmUp();
            if (resumes) trainer.Restore(Checkpoint.Load(path));
            if (resumes) Assert.Throws<InvalidOperationException>(trainer.WarmUp); // it would lose the state to go on from
            trainer.Run(stop.Token);
            return network.Parameters.Values.ToArray();
        }
    }

    [Fact]
    public void From_the_checkpoint_of_an_epoch_more_epochs_may_follow()
    {
        float[] expected = Train(Settings).Weights;
        string path = folder.File("run");
        Train(Settings with { Epochs = 1 }, path: path);
        Checkpoint checkpoint = Checkpoint.Load(path);

        Assert.Equal((1, 0, 6L), (checkpoint.State.Epoch, checkpoint.State.Batch, checkpoint.State.Step));
        Assert.Equal(expected, Train(Settings, resume: checkpoint).Weights);
    }

    [Fact]
    public void A_checkpoint_of_something_else_is_refused()
    {
        string path = folder.File("run");
        Train(Settings with { Epochs = 1 }, path: path);
        Checkpoint checkpoint = Checkpoint.Load(path);
        using Network network = Make(TargetKind.Label, Readout.Last);
        using Network other = Make(TargetKind.Label, Readout.Mean);
        using Trainer otherSettings = new(network, new ToyData(23), null, Settings with { LearningRate = 1 });
        using Trainer otherData = new(network, new ToyData(22), null, Settings);
        using Trainer otherNetwork = new(other, new ToyData(23), null, Settings);

        Assert.Contains("only the epochs", Assert.Throws<InvalidCallException>(() => otherSettings.Restore(checkpoint)).Message);
        Assert.Contains("22 sequences", Assert.Throws<InvalidCallException>(() => otherData.Restore(checkpoint)).Message);
        Assert.Contains("mean", Assert.Throws<InvalidCallException>(() => otherNetwork.Restore(checkpoint)).Message);
    }

    [Fact]
    public void A_model_is_no_checkpoint_and_a_checkpoint_no_model()
    {
        string path = folder.File("run");
        Train(Settings with { Epochs = 1 }, path: path);
        using Network network = Make(TargetKind.Label, Readout.Last);
        ModelFile.Save(folder.File("model"), network);

        Assert.Contains("not a checkpoint", Assert.Throws<InvalidCallException>(() => Checkpoint.Load(folder.File("model"))).Message);
        Assert.Contains("checkpoint", Assert.Throws<InvalidCallException>(() => ModelFile.Load(path, backend)).Message);
    }

    [Fact]
    public void A_truncated_checkpoint_is_a_broken_file()
    {
        string path = folder.File("run");
        Train(Settings with { Epochs = 1 }, path: path);
        byte[] bytes = File.ReadAllBytes(path);

        Assert.Throws<BrokenFileException>(() => Checkpoint.Load(folder.Put("short", bytes[..^5])));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1e9)]
    public void A_run_that_diverges_stops_and_names_step_checkpoint_and_advice(double reportEverySeconds)
    {
        string path = folder.File("run");
        using Network network = Make(TargetKind.Label, Readout.Last);
        using Trainer trainer = new(network, new ToyData(23) { PoisonedFrom = 10 }, null, Settings with { Clip = 0 })
        {
            CheckpointPath = path,
            ReportEvery = TimeSpan.FromSeconds(reportEverySeconds),
        };
        DivergedException e = Assert.Throws<DivergedException>(() => trainer.Run());

        Assert.Equal(9, e.Step);
        Assert.Contains($"{path} (after step 6)", e.Message);
        Assert.Contains("Clip", e.Message);
        Assert.Contains("0.02", e.Message);
        Assert.Equal(6, Checkpoint.Load(path).State.Step);
    }

    [Fact]
    public void A_rate_far_too_high_diverges()
    {
        TrainingSettings settings = Settings with { Optimizer = OptimizerKind.Sgd, LearningRate = 1e15, Clip = 0 };

        Assert.Contains("No checkpoint", Assert.Throws<DivergedException>(() => Train(settings, TargetKind.Value)).Message);
    }

    [Fact]
    public void Patience_ends_the_run_and_brings_back_the_best_weights()
    {
        // Steps too small to move any of the 11 validation answers: the first epoch stays the best.
        TrainingSettings settings = Settings with { Epochs = 30, LearningRate = 1e-7 };
        (TrainingResult result, float[] weights) = Train(settings with { Patience = 3 });

        Assert.True(result.RanOutOfPatience);
        Assert.Equal((4, 1), (result.Epochs, result.BestEpoch));
        Assert.Equal(Train(settings with { Epochs = 1 }).Weights, weights);
    }

    [Fact]
    public void Anneal_goes_back_to_the_best_weights_and_divides_the_rate()
    {
        // Steps too small to move any of the 11 validation answers: no later epoch is better than the first.
        TrainingSettings settings = Settings with { Epochs = 4, LearningRate = 1e-7, Schedule = new() { Kind = ScheduleKind.Anneal, Gamma = 0.25 } };
        using Network network = Make(TargetKind.Label, Readout.Last);
        List<StepReport> steps = [];
        (TrainingResult result, float[] weights) = Train(settings, onStep: steps.Add);

        Assert.Equal((4, 1), (result.Epochs, result.BestEpoch));
        Assert.Equal(Train(Settings with { Epochs = 1, LearningRate = 1e-7 }).Weights, weights);
        Assert.Equal([1e-7, 1e-7, 0.25e-7, 0.0625e-7], steps.Where(report => report.Step % 6 == 1).Select(report => report.Rate));
        Assert.Contains("anneal", Assert.Throws<InvalidCallException>(() => new Trainer(network, new ToyData(4), null, settings)).Message);
    }

    [Fact]
    public void Annealed_stopped_and_resumed_a_run_ends_with_the_same_bits()
    {
        TrainingSettings settings = Settings with { Epochs = 6, LearningRate = 0.2, Schedule = new() { Kind = ScheduleKind.Anneal, Gamma = 0.25 } };
        List<StepReport> steps = [];
        (TrainingResult whole, float[] expected) = Train(settings, onStep: steps.Add);
        Assert.True(steps[^1].Rate < 0.2, "no epoch was worse: the test tests nothing");
        foreach (int stopAfter in new[] { 9, 25 })
        {
            string path = folder.File("run");
            using CancellationTokenSource stop = new();
            Train(settings, path: path, cancellation: stop.Token, onStep: report => { if (report.Step == stopAfter) stop.Cancel(); });
            (TrainingResult resumed, float[] weights) = Train(settings, resume: Checkpoint.Load(path), cancellation: CancellationToken.None);

            Assert.Equal(expected, weights);
            Assert.Equal(whole.Validation, resumed.Validation);
        }
    }

    [Fact]
    public void Progress_counts_and_estimates()
    {
        List<StepReport> steps = [];
        List<EpochReport> epochs = [];
        Train(Settings, onStep: steps.Add, onEpoch: epochs.Add);

        Assert.Equal(Enumerable.Range(1, 18).Select(i => (long)i), steps.Select(report => report.Step));
        Assert.All(steps, report => Assert.Equal(18, report.Steps));
        Assert.Equal([1, 2, 3], epochs.Select(report => report.Epoch));
        Assert.All(epochs, report => Assert.InRange(report.SequencesPerSecond, 1, 1e9));
        Assert.Equal(TimeSpan.Zero, epochs[^1].Remaining);
        Assert.True(steps[0].Remaining > TimeSpan.Zero);
        Assert.Equal(23, epochs[0].Training.Rows);
        Assert.Equal(11, epochs[0].Validation!.Rows);
    }

    [Fact]
    public void What_cannot_be_trained_is_refused()
    {
        using Network network = Make(TargetKind.Label, Readout.Last);

        Assert.Contains(
            "no targets", Assert.Throws<InvalidCallException>(() => new Trainer(network, new ToyData(4, TargetKind.None), null, Settings)).Message);
        Assert.Contains(
            "Patience",
            Assert.Throws<InvalidCallException>(() => new Trainer(network, new ToyData(4), null, Settings with { Patience = 1 })).Message);
        Assert.Throws<InvalidCallException>(() => new Trainer(network, new ToyData(0), null, Settings));
        Assert.Throws<InvalidCallException>(() => new Trainer(network, new ToyData(4, TargetKind.Value), null, Settings));
    }

    [Fact]
    public void A_batch_larger_than_the_set_is_the_set()
    {
        using Network network = Make(TargetKind.Label, Readout.Last);
        using Trainer trainer = new(network, new ToyData(5), null, Settings with { BatchSize = 64 });

        Assert.Equal(1, trainer.StepsPerEpoch);
        Assert.Equal(5, trainer.Run().Training!.Rows);
    }

    private Network Make(TargetKind target, Readout readout)
    {
        TaskKind task = target == TargetKind.Value ? TaskKind.Regression : TaskKind.Classification;
        return Network.Create(
            NetworkTests.Make(Cell.RnnRelu, "9", readout, task, inputs: 2, outputs: task == TaskKind.Regression ? 1 : 3), backend, seed: 2);
    }

    private (TrainingResult Result, float[] Weights) Train(
        TrainingSettings settings,
        TargetKind target = TargetKind.Label,
        Readout readout = Readout.Last,
        string? path = null,
        Checkpoint? resume = null,
        Action<StepReport>? onStep = null,
        Action<EpochReport>? onEpoch = null,
        Architecture? architecture = null,
        CancellationToken cancellation = default)
    {
        using Network network = architecture is null ? Make(target, readout) : Network.Create(architecture, backend, seed: 2);
        using Trainer trainer = new(network, new ToyData(23, target), new ToyData(11, target), settings)
        {
            CheckpointPath = path,
            ReportEvery = TimeSpan.Zero,
            Stepped = onStep,
            EpochFinished = onEpoch,
        };
        if (resume is not null) trainer.Restore(resume);
        TrainingResult result = trainer.Run(cancellation);
        return (result, network.Parameters.Values.ToArray());
    }
}
