using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

public sealed class ComparisonTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Fact]
    public void Every_method_has_a_row_over_all_seeds()
    {
        (ISequenceData train, ISequenceData test) = Data();
        Comparison comparison = new(Settings() with { FineTuning = OneEpoch(0.001) }, train, test);
        foreach (ulong seed in (ulong[])[1, 2])
        {
            using Network network = Make(seed, 6);
            float[] before = network.Parameters.Values.ToArray();
            comparison.Add(Calibrate(network, train, seed));
            Assert.Equal(before, network.Parameters.Values.ToArray()); // fine-tuning must not reach the network that is compared
        }

        IReadOnlyList<ComparisonRow> rows = comparison.Rows;
        Assert.Equal(["baseline", .. MethodSpec.All.Select(method => method.Name)], rows.Select(row => row.Method));
        Assert.Equal(comparison.RunsPerNetwork, rows.Count);
        foreach (ComparisonRow row in rows)
        {
            Assert.Equal([1ul, 2ul], row.Runs.Select(run => run.Seed));
            Assert.InRange(row.Value.Mean, 0, 1);
            Assert.InRange(row.FineTuned!.Mean, 0, 1);
            Assert.NotNull(row.Value.Deviation);
            Assert.True(row.MillisecondsPerSequence > 0, row.Method);
            bool isSmall = row.Method is not ("baseline" or "magnitude-weight" or "random-weight" or "column" or "low-rank");
            Assert.Equal(isSmall ? 3 : 6, row.Units[0]);
        }
    }

    [Fact]
    public void A_mask_is_kept_while_fine_tuning_moves_the_other_weights()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Make(1, 6, Cell.RnnTanh); // an IRNN starts with zeros of its own
        float[] before = network.Parameters.Read("rnn.weight_hh_l0");
        Dictionary<string, (int Count, float[] Weights)> left = [];
        Comparison comparison = new(Settings("magnitude-weight", "random-weight", "column") with { FineTuning = OneEpoch(0.01) }, train, test)
        {
            Measured = (run, made) =>
            {
                float[] weights = made.Parameters.Read("rnn.weight_hh_l0");
                left[run.Method] = (weights.Count(w => w != 0), weights);
            },
        };
        comparison.Add(Calibrate(network, train, 1));

        Assert.Equal((36, 9, 9, 18), (left["baseline"].Count, left["magnitude-weight"].Count, left["random-weight"].Count, left["column"].Count));
        foreach (string method in (string[])["magnitude-weight", "random-weight", "column"])
            Assert.Contains(left[method].Weights.Zip(before), pair => pair.First != 0 && pair.First != pair.Second);
    }

    [Fact]
    public void Layers_may_keep_different_numbers_of_units()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Network.Create(new Architecture { Cell = Cell.Gru, Inputs = 28, Hidden = [6, 5], Outputs = 10 }, host, 1);
        Comparison comparison = new(Settings("scratch", "adjoint", "low-rank") with { Keep = [KeepSize.Parse("4x2"), 3] }, train, test);
        comparison.Add(Calibrate(network, train, 1));

        Assert.Equal([null, "4x2", "4x2", "4x2", "3", "3", "3"], comparison.Rows.Select(row => row.Keep?.ToString()));
        Assert.Equal([[4, 2], [4, 2], [6, 5]], comparison.Rows.Skip(1).Take(3).Select(row => row.Units.ToArray()));
        Assert.Equal([3, 3], comparison.Rows[4].Units);
        Comparison three = new(Settings("adjoint") with { Keep = [KeepSize.Parse("4x2x1")] }, train, test);
        Assert.Contains("2 layers", Assert.Throws<InvalidCallException>(() => three.Check(network.Architecture)).Message);
    }

    [Fact]
    public void Refinement_brings_the_outputs_closer_and_leaves_the_plain_row_alone()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Make(1, 12);
        using (Trainer trainer = new(network, train, null, OneEpoch(0.01) with { Epochs = 10 })) trainer.Run();
        Calibration calibration = Calibrate(network, train, 1);
        Dictionary<string, double> apart = [];
        Comparison comparison = new(Settings("random", "random-refined") with { Refine = RefinementBudget.OfSteps(100) }, train, test)
        {
            Measured = (run, made) => apart[run.Method] = OutputDivergence.Judge(calibration, made).Divergence,
        };
        comparison.Add(calibration);

        Assert.True(apart["random-refined"] < apart["random"], $"{apart["random-refined"]} after {apart["random"]}");
        Assert.Equal(comparison.Runs[1].Parity, comparison.Runs[2].Parity); // both start from one plan
    }

    [Fact]
    public void The_baseline_is_the_network_itself()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Make(1, 6);
        using Evaluator evaluator = new(network, test, 8);
        Comparison comparison = new(Settings("random"), train, test);
        comparison.Add(Calibrate(network, train, 1));

        ComparisonRun baseline = comparison.Runs[0];
        Assert.Equal(evaluator.Run().Loss, baseline.Result.Loss, 1e-6); // other batches, other order of summation
        Assert.Null(baseline.FineTuned);
        Assert.Null(baseline.Keep);
        Assert.Equal(WeightCounts.Count(network.Architecture), baseline.Weights);
    }

    [Fact]
    public void What_is_measured_stays_when_the_work_is_stopped()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Make(1, 6);
        using CancellationTokenSource source = new();
        Comparison comparison = new(Settings(), train, test)
        {
            Measured = (run, _) =>
            {
                if (run.Method == "adjoint") source.Cancel();
            },
        };

        Assert.Throws<OperationCanceledException>(
            () => comparison.Add(new Calibration(network, train, new CalibrationSettings(), source.Token)));
        Assert.Equal(["baseline", "scratch", "auto", "auto-refined", "adjoint"], comparison.Rows.Select(row => row.Method));
    }

    [Fact]
    public void Networks_of_one_shape_have_one_time()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Make(1, 6);
        Comparison comparison = new(Settings("random", "magnitude-unit", "column"), train, test);
        comparison.Add(Calibrate(network, train, 1));

        Assert.Equal(4, comparison.Runs.Count);
        Assert.All(
            comparison.Runs.GroupBy(run => ((Architecture)run.Recipe).Hidden[0]),
            same => Assert.Single(same.Select(run => run.MillisecondsPerSequence).Distinct()));
    }

    [Fact]
    public void Fine_tuning_that_diverges_is_a_result()
    {
        (ISequenceData train, ISequenceData test) = Data();
        using Network network = Make(1, 6);
        TrainingSettings reckless = OneEpoch(1e30) with { Optimizer = OptimizerKind.Sgd, Clip = 0 };
        Comparison comparison = new(Settings("random") with { FineTuning = reckless }, train, test);
        comparison.Add(Calibrate(network, train, 1));

        Assert.Equal(2, comparison.Runs.Count);
        Assert.All(comparison.Runs, run => Assert.True(double.IsNaN(run.FineTuned!.Value)));
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        (ISequenceData train, ISequenceData test) = Data();
        Assert.Contains("`keep` 3x0", Assert.Throws<InvalidCallException>(() => KeepSize.Parse("3x0")).Message);
        Assert.Contains("64x32", Assert.Throws<InvalidCallException>(() => KeepSize.Parse("3,")).Message);
        Assert.Contains(
            "`Refine` off", Assert.Throws<InvalidCallException>(() => new Comparison(Settings() with { Refine = RefinementBudget.Off }, train, test)).Message);
        Assert.Contains("`Keep`", Assert.Throws<InvalidCallException>(() => new Comparison(Settings() with { Keep = [] }, train, test)).Message);
        Assert.Contains("magic", Assert.Throws<InvalidCallException>(() => MethodSpec.Parse(["random", "magic"])).Message);
        Assert.Throws<InvalidCallException>(() => MethodSpec.Parse([]));
        Assert.Equal(["auto", "column"], MethodSpec.Parse(["column", "spectral"]).Select(method => method.Name));
        Comparison comparison = new(Settings("random"), train, test);
        using Network six = Make(1, 6), five = Make(1, 5), two = Make(1, 2);
        Assert.Contains("`keep` 3", Assert.Throws<InvalidCallException>(() => comparison.Add(Calibrate(two, train, 1))).Message);
        comparison.Add(Calibrate(six, train, 1));
        Assert.Contains("one size", Assert.Throws<InvalidCallException>(() => comparison.Add(Calibrate(five, train, 1))).Message);
    }

    [Fact]
    public void Mean_and_deviation_are_those_of_a_sample()
    {
        // statistics.stdev([1, 2, 4]) in Python 3: 1.5275252316519468
        MeanAndDeviation three = MeanAndDeviation.Compute([1, 2, 4]);
        Assert.Equal(7.0 / 3, three.Mean, 1e-15);
        Assert.Equal(1.5275252316519468, three.Deviation!.Value, 1e-15);
        Assert.Equal(new MeanAndDeviation(5, null), MeanAndDeviation.Compute([5]));
        Assert.Equal((2, 2.5, 7), (MedianTime.Of([9, 1, 2]), MedianTime.Of([4, 1, 2, 3]), MedianTime.Of([7])));
        Assert.Throws<ArgumentException>(() => MedianTime.Of([]));
    }

    private static (ISequenceData Train, ISequenceData Test) Data() =>
        (Digits.Create(60, 1, ImageView.Row, DataPart.Train), Digits.Create(30, 1, ImageView.Row, DataPart.Test));

    private static TrainingSettings OneEpoch(double rate) => new() { Epochs = 1, BatchSize = 20, LearningRate = rate };

    private static ComparisonSettings Settings(params string[] methods) => new()
    {
        Methods = MethodSpec.Parse(methods.Length == 0 ? ["all"] : methods),
        Keep = [3],
        Training = OneEpoch(0.001),
        BatchSize = 20,
    };

    private static Calibration Calibrate(Network network, ISequenceData train, ulong seed) =>
        new(network, train, new CalibrationSettings { Seed = seed });

    private Network Make(ulong seed, int hidden, Cell cell = Cell.Irnn) =>
        Network.Create(new Architecture { Cell = cell, Inputs = 28, Hidden = [hidden], Outputs = 10 }, host, seed);
}
