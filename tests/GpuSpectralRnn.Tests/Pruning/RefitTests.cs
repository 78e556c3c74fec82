using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>What is fitted after the units were chosen, and how candidates are judged.</summary>
public sealed class RefitTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData(Cell.Irnn, Readout.Last)]
    [InlineData(Cell.RnnTanh, Readout.Mean)]
    [InlineData(Cell.RnnTanh, Readout.Every)]
    public void The_readout_refit_is_the_least_squares_solution(Cell cell, Readout readout)
    {
        using Network network = TestNetworks.Make(host, cell, [9], readout);
        NormalData data = new(100, 5, 3);
        Calibration calibration = new(network, data, new CalibrationSettings { BatchSize = 32 });
        PruningPlan plan = new SpectralPruning(new SpectralSettings()).Plan(calibration, [5]), refitted = ReadoutRefit.Apply(calibration, plan);

        double before = SquaredError(network, plan, calibration.Inputs), after = SquaredError(network, refitted, calibration.Inputs);

        Assert.True(after < before, $"{after} is not below {before}");

        // At a minimum no small change of the read-out helps; the ridge of 1e-4 shifts it by less than these steps.
        for (int i = 0; i < 5; i++)
        {
            foreach (double step in (double[])[-0.02, 0.02])
            {
                ReadoutWeights moved = new(refitted.Readout!.Weight.Clone(), [.. refitted.Readout.Bias]);
                moved.Weight[i % 4, i] += step;
                Assert.True(SquaredError(network, refitted with { Readout = moved }, calibration.Inputs) > after, $"weight {i} by {step}");
            }
        }
    }

    [Fact]
    public void The_row_refit_changes_nothing_where_nothing_is_lost()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4, 3], Readout.Last);
        Calibration calibration = new(network, new NormalData(30, 4, 3));
        PruningPlan plan = new("all", [LayerPlan.Whole(4), LayerPlan.Whole(3)]), refitted = RowRefit.Apply(calibration, plan);

        foreach (LayerPlan layer in refitted.Recurrences)
        {
            Assert.All(layer.Correction!.Hidden.Data, x => Assert.Equal(0, x));
            Assert.All(layer.Correction.Bias, x => Assert.Equal(0, x));
        }
    }

    [Fact]
    public void The_row_refit_is_the_weighted_least_squares_solution()
    {
        const int Units = 5, Steps = 3, Count = 6, Probes = 2, Inputs = 3;
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [Units], Readout.Last);
        NormalData data = new(Count + 1, Steps, Inputs);
        Calibration calibration = new(network, data, new CalibrationSettings { Probes = Probes, HeldApart = 0.1 });
        PruningPlan plan = new SpectralPruning(new SpectralSettings()).Plan(calibration, [3]);

        RowCorrection correction = RowRefit.Apply(calibration, plan).Recurrences[0].Correction!;

        // By the definition: deltas = tanh' g from finite differences, regression of W (h - A h_J) on [h_J, x, 1], weights delta^2 / mean + 1/2,
        // ridge 1e-2 of the mean square.
        double[] input = new NormalData(Count + 1, Steps, Inputs).TimeMajor(), used = new double[Steps * Count * Inputs];
        for (int t = 0; t < Steps; t++) Array.Copy(input, t * (Count + 1) * Inputs, used, t * Count * Inputs, Count * Inputs);
        PerturbedNetwork reference = new(calibration.Weights, used, Steps, Count);
        (int[] kept, Matrix fold, Matrix w) = (plan.Recurrences[0].Kept, plan.Recurrences[0].Fold!, calibration.Weights.Recurrences[0].Hidden);
        double[,] squares = new double[Steps * Count, 3];
        for (int probe = 0; probe < Probes; probe++)
        {
            using Tensor v = host.Allocate(new Shape(Count, 4));
            host.Random.Normal(v, 1, RowRefit.ProbeStream + (ulong)probe, 0, 1);
            double[] g = reference.Gradient(0, v.ToArray().ToDoubles());
            for (int n = 0; n < Steps * Count; n++)
                for (int i = 0; i < 3; i++)
                    squares[n, i] += Math.Pow(g[n * Units + kept[i]] * (1 - Math.Pow(reference.States[0][n * Units + kept[i]], 2)), 2) / Probes;
        }

        reference.Outputs(-1, []);
        for (int i = 0; i < 3; i++)
        {
            double mean = Enumerable.Range(0, Steps * Count).Average(n => squares[n, i]), ridge = 0;
            Matrix moments = new(7, 7), right = new(7, 1);
            for (int n = 0; n < Steps * Count; n++)
            {
                double[] h = n < Count ? new double[Units] : reference.States[0][((n - Count) * Units)..((n - Count + 1) * Units)];
                double[] z = [.. kept.Select(j => h[j]), .. used[(n * Inputs)..((n + 1) * Inputs)], 1];
                double lost = 0, weight = squares[n, i] / mean + 0.5;
                for (int j = 0; j < Units; j++) lost += w[kept[i], j] * (h[j] - Enumerable.Range(0, 3).Sum(a => fold[j, a] * h[kept[a]]));
                for (int a = 0; a < 7; a++)
                {
                    right[a, 0] += weight * lost * z[a];
                    for (int b = 0; b < 7; b++) moments[a, b] += weight * z[a] * z[b];
                }
            }

            for (int a = 0; a < 3; a++) ridge += 1e-2 * moments[a, a] / 3;
            for (int a = 0; a < 7; a++) moments[a, a] += ridge;
            double[] expected = Cholesky.TryFactor(moments)!.Solve(right).Data;
            double[] found = [.. correction.Hidden.Row(i), .. correction.Input.Row(i), correction.Bias[i]];
            Close.Equal(expected, found, 1e-3, 1e-4, $"row {i}"); // single-precision states and gradients, amplified by the ridge's 1/1e-2
        }
    }

    [Fact]
    public void Auto_takes_the_candidate_that_comes_closest_and_names_all()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [12], Readout.Last);
        Calibration calibration = new(network, new NormalData(100, 5, 3));
        List<Candidate> tried = [];
        AutoPruning auto = new(new SpectralSettings { Refit = Refit.Rows }) { Tried = tried.Add };

        PruningPlan plan = auto.Plan(calibration, [6]);

        Assert.Equal(6 * 2 * 2 + 12 + 6, tried.Count);
        Assert.Equal(tried.Min(c => c.Judgement.Divergence), auto.Chosen!.Judgement.Divergence);
        Assert.Same(auto.Chosen.Plan, plan);
        Assert.Equal(auto.Chosen.Judgement, Judge.Of(calibration, plan));
        Assert.Equal(tried.Count, tried.Select(c => c.Settings.ToString()).Distinct().Count());
    }

    [Fact]
    public void Auto_judges_a_regression_by_the_squared_difference()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [9], Readout.Mean, outputs: 2, task: TaskKind.Regression);
        Calibration calibration = new(network, new NormalData(60, 4, 3));
        AutoPruning auto = new(new SpectralSettings { Refit = Refit.Rows });
        PruningPlan plan = auto.Plan(calibration, [5]);

        Assert.Null(auto.Chosen!.Judgement.Agreement);
        double difference = SquaredError(network, plan, calibration.Held) / (2 * calibration.Held.Count);
        Close.Equal(difference, auto.Chosen.Judgement.Divergence, 1e-4, 0, "mean squared difference"); // of single-precision outputs
    }

    [Fact]
    public void Auto_serves_a_network_whose_units_are_all_dead()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        network.Parameters.Write("rnn.bias_ih_l0", [-100, -100, -100, -100]);
        Calibration calibration = new(network, new NormalData(10, 3, 3));

        Assert.Equal(0, Judge.Of(calibration, new AutoPruning(new SpectralSettings { Refit = Refit.Rows }).Plan(calibration, [2])).Divergence, 6);
    }

    [Fact]
    public void Labels_change_nothing()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [8], Readout.Last);
        PruningPlan Plan(ISequenceData data) =>
            new AutoPruning(new SpectralSettings { Refit = Refit.Rows }).Plan(new Calibration(network, data), [4]);
        PruningPlan without = Plan(new NormalData(60, 4, 3)), with = Plan(new NormalData(60, 4, 3, TargetKind.Label, 4));

        Assert.Equal(without.Recurrences[0].Kept, with.Recurrences[0].Kept);
        Assert.Equal(without.Recurrences[0].Fold!.Data, with.Recurrences[0].Fold!.Data);
    }

    [Theory]
    [InlineData(TaskKind.Classification)]
    [InlineData(TaskKind.Regression)]
    public void Distillation_brings_the_small_network_closer_without_labels(TaskKind task)
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [10], Readout.Last, task: task);
        NormalData data = new(300, 4, 3);
        Calibration calibration = new(network, data);
        using Network small = Slicer.Slice(network, new MagnitudeUnits().Plan(calibration, [4]));
        Judgement before = Judge.Of(calibration, small);

        Distillation.Refine(network, small, calibration.Inputs, 100);

        Assert.True(Judge.Of(calibration, small).Divergence < 0.7 * before.Divergence, $"{before} -> {Judge.Of(calibration, small)}");
    }

    [Fact]
    public void Training_and_distillation_keep_masks()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [8], Readout.Last);
        NormalData data = new(60, 4, 3, TargetKind.Label, 4);
        PruningPlan plan = new MagnitudeWeights().Plan(new Calibration(network, data), [4]);
        using Network sliced = Slicer.Slice(network, plan);
        float[] before = sliced.Parameters.Read("rnn.weight_hh_l0");

        using Trainer trainer = new(sliced, data, null, new TrainingSettings { Epochs = 2, BatchSize = 16 });
        trainer.Run();
        Distillation.Refine(network, sliced, data, 5);

        float[] after = sliced.Parameters.Read("rnn.weight_hh_l0");
        Assert.Equal(before.Select(w => w == 0), after.Select(w => w == 0));
        Assert.NotEqual(before, after);
        using Network dense = Slicer.Slice(network, new RandomUnits().Plan(new Calibration(network, data), [4]));
        Assert.Null(dense.Parameters.Mask);
    }

    [Fact]
    public void A_masked_network_keeps_its_mask_where_weights_stay_single_and_loses_it_where_they_are_summed()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [8], Readout.Last);
        NormalData data = new(60, 4, 3);
        using Network masked = Slicer.Slice(network, new ColumnSparsification().Plan(new Calibration(network, data), [4]));
        Calibration calibration = new(masked, data);

        using Network twice = Slicer.Slice(masked, new RandomWeights().Plan(calibration, [6]));
        using Network dropped = Slicer.Slice(masked, new RandomUnits(isReconstructed: false).Plan(calibration, [5]));
        using Network folded = Slicer.Slice(masked, new RandomUnits().Plan(calibration, [5]));

        float[] first = masked.Parameters.MaskOf("rnn.weight_hh_l0")!, second = twice.Parameters.MaskOf("rnn.weight_hh_l0")!;
        Assert.True(second.Zip(first).All(pair => pair.First <= pair.Second), "what the first mask took away must not come back");
        Assert.True(second.Sum() < first.Sum());
        float[] left = dropped.Parameters.MaskOf("rnn.weight_hh_l0")!;
        Assert.Equal(dropped.Parameters.Read("rnn.weight_hh_l0").Select(w => w == 0), left.Select(one => one == 0)); // no weight is zero by itself
        Assert.Null(folded.Parameters.Mask);
    }

    private double SquaredError(Network network, PruningPlan plan, ISequenceData data)
    {
        using Network small = Slicer.Slice(network, plan);
        using Evaluator first = new(network, data, 50), second = new(small, data, 50);
        return first.Predict().Values.Zip(second.Predict().Values, (a, b) => ((double)a - b) * ((double)a - b)).Sum();
    }
}
