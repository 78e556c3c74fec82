using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
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

    // Parameters are copied and checked once: what is written later does not reach a calibration's collections. States do not depend on this bias.
    [Fact]
    public void Collections_trust_the_copy_of_the_parameters_that_the_calibration_checked()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        Calibration calibration = new(network, new NormalData(30, 4, 3));
        network.Parameters.Write("readout.bias", Enumerable.Repeat(float.NaN, network.Architecture.Outputs).ToArray());

        Assert.True(calibration.Gram(0).IsFinite());
        Assert.Throws<RunFailedException>(() => new Calibration(network, new NormalData(30, 4, 3)));
    }

    [Fact]
    public void The_row_refit_changes_nothing_where_nothing_is_lost()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4, 3], Readout.Last);
        Calibration calibration = new(network, new NormalData(30, 4, 3));
        PruningPlan plan = new("all", [UnitPlan.Whole(4), UnitPlan.Whole(3)]), refitted = RowRefit.Apply(calibration, plan);

        foreach (UnitPlan layer in refitted.Axes)
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
        NormalData data = new(Count + 2, Steps, Inputs);
        Calibration calibration = new(network, data, new CalibrationSettings { Probes = Probes, HeldApart = 0.1 });
        PruningPlan plan = new SpectralPruning(new SpectralSettings()).Plan(calibration, [3]);

        RowCorrection correction = RowRefit.Apply(calibration, plan).Axes[0].Correction!;

        // By the definition: deltas = tanh' g from finite differences, regression of w (h - A h_J) on [h_J, x, 1], weights delta^2 / mean + 1/2,
        // ridge 1e-2 of the mean square of the kept states.
        double[] used = FirstSequences(data, Count);
        ReferenceNetwork reference = ReferenceNetwork.Of(network);
        reference.Forward(used, Steps, Count);
        double[] states = reference.States[0];
        double[] squares = new double[Steps * Count * Units];
        for (int probe = 0; probe < Probes; probe++)
        {
            using Tensor v = host.Allocate(new Shape(Count, 4));
            host.Random.Normal(new(v, 1, RowSamples.ProbeStream + (ulong)probe, 0, 1));
            double[] g = reference.StateGradient(0, v.ToArray().ToDoubles(), used, Steps, Count);
            for (int i = 0; i < g.Length; i++) squares[i] += Math.Pow(g[i] * (1 - Math.Pow(states[i], 2)), 2) / Probes;
        }

        Matrix h = Before(states, Units, Count), x = Matrix.From(Steps * Count, Inputs, used);
        UnitPlan own = plan.Axes[0];
        Matrix w = calibration.Weights.Recurrences[0].Hidden.SelectRows(own.Kept), keptStates = h.SelectColumns(own.Kept);
        Matrix lost = Matrix.Product(h - Matrix.Product(keptStates, own.Fold!, transposeB: true), w, transposeB: true);
        Matrix found = Beside(correction.Hidden, correction.Input, Column(correction.Bias));
        for (int i = 0; i < 3; i++)
        {
            double[] deltas = [.. Enumerable.Range(0, Steps * Count).Select(n => squares[n * Units + own.Kept[i]])];
            double[] weights = Array.ConvertAll(deltas, square => square / deltas.Average() + 0.5);
            Matrix expected = Regress(Beside(keptStates, x, Ones(h.Rows)), lost.SelectColumns([i]), weights, 3);

            // Single-precision states and gradients, amplified by the ridge's 1/1e-2
            Close.Equal(expected.Data, found.Row(i).ToArray(), 1e-3, 1e-4, $"row {i}");
        }
    }

    [Fact]
    public void The_row_refit_of_a_GRU_tells_the_product_that_the_reset_gate_multiplies_from_the_input()
    {
        const int Steps = 4, Count = 30;
        using Network network = TestNetworks.Make(host, Cell.Gru, [6, 5], Readout.Last);
        network.Parameters.Write("readout.weight", new float[20]); // no gradient: all steps weigh alike
        NormalData data = new(Count + 2, Steps, 3);
        Calibration calibration = new(network, data, new CalibrationSettings { HeldApart = 0.01 });
        PruningPlan plan = new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Paper, Theta = 1, Fold = FoldKind.Affine })
            .Plan(calibration, [4, 3]);

        RowCorrection correction = RowRefit.Apply(calibration, plan).Axes[1].Correction!;

        ReferenceNetwork reference = ReferenceNetwork.Of(network);
        reference.Forward(FirstSequences(data, Count), Steps, Count);
        (UnitPlan below, UnitPlan own) = (plan.Axes[0], plan.Axes[1]);
        LayerWeights rows = calibration.Weights.Recurrences[1];
        Matrix h = Before(reference.States[1], 5, Count), x = Matrix.From(Steps * Count, 6, reference.States[0]);
        double[] alike = [.. Enumerable.Repeat(1.5, Steps * Count)];
        for (int gate = 0; gate < 3; gate++)
        {
            int[] kept = Array.ConvertAll(own.Kept, j => gate * 5 + j), at = [.. Enumerable.Range(gate * 3, 3)];
            Matrix ofStates = Lost(own, h, rows.Hidden.SelectRows(kept)), ofInputs = Lost(below, x, rows.Input.SelectRows(kept));
            Matrix keptStates = h.SelectColumns(own.Kept), keptInputs = x.SelectColumns(below.Kept);
            Matrix found = Beside(
                correction.Hidden.SelectRows(at), correction.Input.SelectRows(at), Column(correction.Bias[(gate * 3)..(gate * 3 + 3)]),
                Column(correction.InputBias[(gate * 3)..(gate * 3 + 3)]));
            Matrix expected;
            if (gate < 2)
            {
                expected = Beside(Regress(Beside(keptStates, keptInputs, Ones(h.Rows)), ofStates + ofInputs, alike, 3), new Matrix(3, 1));
            }
            else
            {
                Matrix states = Regress(Beside(keptStates, Ones(h.Rows)), ofStates, alike, 3),
                    inputs = Regress(Beside(keptInputs, Ones(h.Rows)), ofInputs, alike, 4);
                expected = Beside(
                    states.SelectColumns([0, 1, 2]), inputs.SelectColumns([0, 1, 2, 3]), states.SelectColumns([3]), inputs.SelectColumns([4]));
            }

            // Single-precision states, amplified by the ridge's 1/1e-2
            Close.Equal(expected.Data, found.Data, 1e-3, 2e-5, $"gate {gate}", 3, expected.Columns);
        }

        static Matrix Lost(UnitPlan plan, Matrix states, Matrix weights)
        {
            Matrix lost = states - Matrix.Product(states.SelectColumns(plan.Kept), plan.Fold!, transposeB: true);
            for (int i = 0; i < lost.Rows; i++)
                for (int j = 0; j < lost.Columns; j++) lost[i, j] -= plan.Offset![j];
            return Matrix.Product(lost, weights, transposeB: true);
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

        Assert.Equal(6 * 2 * 2 + 3 * 2 + 6 + 4 + 10 + 5, tried.Count);
        Assert.Equal(tried.Min(c => c.OutputDivergence.Divergence), auto.Chosen!.OutputDivergence.Divergence);
        Assert.Same(auto.Chosen.Plan, plan);
        Assert.Equal(auto.Chosen.OutputDivergence, OutputDivergence.Measure(calibration, plan));
        Assert.Equal(tried.Count, tried.Select(c => c.Settings.ToString()).Distinct().Count());
    }

    [Fact]
    public void Auto_judges_a_regression_by_the_squared_difference()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [9], Readout.Mean, outputs: 2, task: TaskKind.Regression);
        Calibration calibration = new(network, new NormalData(60, 4, 3));
        AutoPruning auto = new(new SpectralSettings { Refit = Refit.Rows });
        PruningPlan plan = auto.Plan(calibration, [5]);

        Assert.Null(auto.Chosen!.OutputDivergence.Agreement);
        double difference = SquaredError(network, plan, calibration.Held) / (2 * calibration.Held.Count);
        Close.Equal(difference, auto.Chosen.OutputDivergence.Divergence, 1e-4, 0, "mean squared difference"); // of single-precision outputs
    }

    [Fact]
    public void Auto_serves_a_network_whose_units_are_all_dead()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        network.Parameters.Write("rnn.bias_ih_l0", [-100, -100, -100, -100]);
        Calibration calibration = new(network, new NormalData(10, 3, 3));

        Assert.Equal(0, OutputDivergence.Measure(
            calibration, new AutoPruning(new SpectralSettings { Refit = Refit.Rows }).Plan(calibration, [2])).Divergence, 6);
    }

    [Fact]
    public void Labels_change_nothing()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [8], Readout.Last);
        PruningPlan Plan(ISequenceData data) =>
            new AutoPruning(new SpectralSettings { Refit = Refit.Rows }).Plan(new Calibration(network, data), [4]);
        PruningPlan without = Plan(new NormalData(60, 4, 3)), with = Plan(new NormalData(60, 4, 3, TargetKind.Label, 4));

        Assert.Equal(without.Axes[0].Kept, with.Axes[0].Kept);
        Assert.Equal(without.Axes[0].Fold!.Data, with.Axes[0].Fold!.Data);
    }

    [Theory]
    [InlineData(TaskKind.Classification)]
    [InlineData(TaskKind.Regression)]
    public void Refinement_brings_the_small_network_closer_without_labels(TaskKind task)
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [10], Readout.Last, task: task);
        NormalData data = new(300, 4, 3);
        Calibration calibration = new(network, data);
        using Network small = Slicer.Slice(network, new MagnitudeUnits().Plan(calibration, [4]));
        OutputDivergence before = OutputDivergence.Judge(calibration, small);

        RefinementResult<float[]> result = Refinement.Refine(calibration, small, null, RefinementBudget.OfSteps(100))!;

        Assert.Equal(result.After, OutputDivergence.Measure(calibration, small).Divergence);
        Assert.True(
            OutputDivergence.Judge(calibration, small).Divergence < 0.7 * before.Divergence,
            $"{before} -> {OutputDivergence.Judge(calibration, small)}");
    }

    [Fact]
    public void Training_and_refinement_keep_masks()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [8], Readout.Last);
        NormalData data = new(60, 4, 3, TargetKind.Label, 4);
        PruningPlan plan = new MagnitudeWeights().Plan(new Calibration(network, data), [4]);
        using Network sliced = Slicer.Slice(network, plan);
        float[] before = sliced.Parameters.Read("rnn.weight_hh_l0");

        using Trainer trainer = new(sliced, data, null, new TrainingSettings { Epochs = 2, BatchSize = 16 });
        trainer.Run();
        Refinement.Refine(new Calibration(network, data), sliced, plan, RefinementBudget.OfSteps(5));

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

    private static double[] FirstSequences(NormalData data, int count)
    {
        (int steps, int all, int inputs) = (data.Layout.Steps, data.Count, data.Layout.Features);
        return [.. Enumerable.Range(0, steps).SelectMany(t => data.TimeMajor()[(t * all * inputs)..((t * all + count) * inputs)])];
    }

    // The states of the step before, zeros for the first: [T B, m].
    private static Matrix Before(double[] states, int units, int count) =>
        Matrix.From(states.Length / units, units, [.. new double[count * units], .. states[..^(count * units)]]);

    private static Matrix Ones(int rows) => Column([.. Enumerable.Repeat(1.0, rows)]);

    private static Matrix Column(double[] values) => Matrix.From(values.Length, 1, values);

    private static Matrix Beside(params Matrix[] blocks) =>
        Matrix.From(
            blocks[0].Rows, blocks.Sum(b => b.Columns),
            [.. Enumerable.Range(0, blocks[0].Rows).SelectMany(i => blocks.SelectMany(b => b.Row(i).ToArray()))]);

    // Weighted ridge regression of r [N, k] on z [N, W], the ridge 1e-2 of the mean square of the first columns; a row for each column of r.
    private static Matrix Regress(Matrix z, Matrix r, double[] weights, int first)
    {
        Matrix scaled = z.Clone();
        for (int n = 0; n < z.Rows; n++)
            for (int j = 0; j < z.Columns; j++) scaled[n, j] *= weights[n];
        Matrix moments = Matrix.Product(scaled, z, transposeA: true);
        double ridge = 1e-2 * Enumerable.Range(0, first).Average(j => moments[j, j]);
        for (int j = 0; j < z.Columns; j++) moments[j, j] += ridge;
        return Cholesky.TryFactor(moments)!.Solve(Matrix.Product(scaled, r, transposeA: true)).Transpose();
    }
}
