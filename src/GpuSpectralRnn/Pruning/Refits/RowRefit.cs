using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Refit of the layers' rows, each with its own step weights (docs/method.md, section 7.3). The fold's error in a kept row's sum, r = w (h - A h_J -
/// c) + v (x - A x_J - c), is regressed on z = [h_J, x_J, 1] over the big network's own states (<see cref="RowSamples"/>); a step has the weight
/// delta^2 / mean + 1/2 with delta the adjoint at that row, so that errors count where they reach the outputs. The ridge is towards no correction. A
/// GRU's rows n are no such sum, because the reset gate multiplies the product, not the input: the error of the product is regressed on [h_J, 1],
/// that of the input on [x_J, 1]. Where the reset comes before the product, rows n read r h, which is not sampled: only their input is fitted. Where
/// a weight per row would cost too much, neighbouring rows share their mean weight. The refit improves most plans, not all; compare the result.
/// </summary>
public static class RowRefit
{
    /// <summary>Ridge relative to the weighted mean square of the kept states.</summary>
    private const double RelativeRidge = 1e-2;

    /// <summary>Weight of every step beside its adjoint; smaller values can be harmful.</summary>
    private const double Floor = 0.5;

    /// <summary>Limit on the multiply-adds for the moments of one recurrence: a few seconds on a processor.</summary>
    private const double Work = 6e9;

    /// <summary>Steps required per fitted number before rows get weights of their own.</summary>
    private const int StepsPerRegressor = 100;

    /// <summary>The plan with corrections of every recurrence's rows.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static PruningPlan Apply(Calibration calibration, PruningPlan plan) => plan with
    {
        Axes =
        [
            .. plan.Axes.Select((part, i) => Module(calibration.Network.Graph, calibration.Network.Graph.PrunableAxes[i]) is { } recurrent
                ? part with { Correction = Fit(calibration, plan, recurrent, part) }
                : part),
        ],
    };

    // Rows that several modules share would need a fit on the inputs of all; they are not refitted.
    private static Recurrent? Module(Graph graph, PrunableAxis axis) => axis.Carriers.Count == 1 ? graph.Recurrence(axis.Axis) : null;

    private static RowCorrection Fit(Calibration calibration, PruningPlan plan, Recurrent module, UnitPlan own)
    {
        Graph graph = calibration.Network.Graph;
        LayerWeights weights = calibration.Weights.Recurrence(module);
        UnitPlan below = plan.For(graph, graph.Node(module.Name).Inputs[0]);
        RowSamples samples = calibration.RowSamples[module.Name];
        int gates = module.Cell.Gates(), rows = gates * own.Kept.Length;
        RowCorrection correction = new(new Matrix(rows, own.Kept.Length), new Matrix(rows, below.Kept.Length), new double[rows], new double[rows]);
        if (samples.Count == 0) return correction;
        for (int gate = 0; gate < gates; gate++)
        {
            int[] products = Array.ConvertAll(own.Kept, j => gate * own.Units + j);
            Source states = new(samples.States, own, weights.Hidden.SelectRows(products), correction.Hidden);
            Source inputs = new(samples.Inputs, below, weights.Input.SelectRows(products), correction.Input);
            CellSpec cell = module.Cell.Spec();
            if (gate < gates - 1 || !(cell.ResetsProduct || cell.ResetsState))
            {
                Solve(calibration, samples, products, gate, gates, correction.Bias, states, inputs);
                continue;
            }

            if (cell.ResetsProduct) Solve(calibration, samples, products, gate, gates, correction.Bias, states);
            if (below.Fold is not null || below.Kept.Length < below.Units)
                Solve(calibration, samples, products, gate, gates, correction.InputBias, inputs);
        }

        return correction;
    }

    // The least-squares problems of one gate's rows, which read the given sources.
    private static void Solve(
        Calibration calibration, RowSamples samples, int[] products, int gate, int gates, double[] bias, params ReadOnlySpan<Source> sources)
    {
        IBackend backend = calibration.Network.Backend;
        int kept = products.Length, width = 1;
        foreach (Source source in sources) width += source.Plan.Kept.Length;
        double square = (double)width * width / 2;
        int blocks = (int)Math.Clamp(Work / gates / (square * Math.Min(samples.Count, StepsPerRegressor * width)), 1, kept);
        int count = (int)Math.Clamp(Work / gates / (square * blocks), 1, samples.Count);
        using DisposableBag owned = new();
        Tensor[] parts = new Tensor[sources.Length];
        (Matrix[] selectors, Matrix[] losses) = (new Matrix[sources.Length], new Matrix[sources.Length]);
        (double[] one, double[] shift) = (new double[width], new double[kept]);
        one[^1] = 1;
        for (int s = 0, first = 0; s < sources.Length; s++)
        {
            Source source = sources[s];
            int units = source.Plan.Units;
            parts[s] = owned.Keep(StatisticsCollector.Upload(backend, source.Values[..(count * units)], count, units));
            selectors[s] = RegressionRows.Place(width, first, source.Selector);
            losses[s] = source.Lost;
            first += source.Plan.Kept.Length;
            if (source.Plan.Offset is not { } offset) continue;
            for (int i = 0; i < kept; i++) shift[i] -= VectorOps.Dot(source.Weights.Row(i), offset);
        }

        RegressionRows regressors = owned.Keep(new RegressionRows(backend, one, selectors)),
            lost = owned.Keep(new RegressionRows(backend, shift, losses));
        Tensor z = regressors.Join(parts); // [N, W]
        float[] residuals = lost.Join(parts).ToArray(); // [N, k]
        GramAccumulator moments = owned.Keep(backend.Spectral.CreateGram(width));
        Tensor u = owned.Keep(backend.Allocate(new Shape(count)));
        Tensor sums = owned.Keep(backend.Allocate(new Shape(width, kept))), scaled = owned.Keep(backend.Allocate(new Shape(count, kept)));
        List<(int From, int To, Cholesky Factor)> equations = [];
        for (int block = 0; block < blocks; block++)
        {
            calibration.Cancellation.ThrowIfCancellationRequested();
            (int from, int to) = (block * kept / blocks, (block + 1) * kept / blocks);
            float[] weights = Weights(samples, products[from..to], count);
            u.CopyFrom<float>(weights);
            moments.Reset();
            moments.Add(new(z, u));
            (Matrix zz, _) = StatisticsCollector.Read(moments);
            for (int n = 0; n < count; n++)
                for (int i = from; i < to; i++) residuals[n * kept + i] *= weights[n];
            if (Factor(zz, sources[0].Plan.Kept.Length) is { } factor) equations.Add((from, to, factor));
        }

        scaled.CopyFrom<float>(residuals);
        backend.Matrix.Gemm(new(true, false, 1, z, scaled, 0, sums));
        Matrix right = Matrix.From(width, kept, sums.ToArray());
        foreach ((int from, int to, Cholesky factor) in equations)
        {
            Matrix change = factor.Solve(right.SelectColumns([.. Enumerable.Range(from, to - from)])); // [W, rows]
            if (!change.IsFinite()) continue;
            for (int i = from; i < to; i++)
            {
                int row = gate * kept + i, at = 0;
                foreach (Source source in sources)
                    for (int j = 0; j < source.Plan.Kept.Length; j++) source.Correction[row, j] = change[at++, i - from];
                bias[row] = change[at, i - from];
            }
        }
    }

    // u = delta^2 / mean + floor of the first steps, delta^2 the mean over some rows; equal for all steps where errors of these rows do not reach the
    // outputs.
    private static float[] Weights(RowSamples samples, int[] rows, int count)
    {
        int width = samples.Squares.Length / samples.Count;
        float[] squares = new float[count];
        double sum = 0;
        for (int n = 0; n < count; n++)
        {
            foreach (int row in rows) squares[n] += samples.Squares[n * width + row];
            sum += squares[n];
        }

        double mean = sum / count;
        bool isAlive = mean > 0 && double.IsFinite(mean);
        return Array.ConvertAll(squares, square => (float)((isAlive ? square / mean : 1) + Floor));
    }

    // M + ridge; null where z has no spread.
    private static Cholesky? Factor(Matrix moments, int kept)
    {
        double square = 0;
        for (int j = 0; j < kept; j++) square += moments[j, j] / kept;
        for (int j = 0; j < moments.Rows; j++) moments[j, j] += RelativeRidge * square;
        return moments.IsFinite() ? Cholesky.TryFactor(moments) : null;
    }

    /// <summary>Units that rows read.</summary>
    /// <param name="Values">Samples [N, m].</param>
    /// <param name="Plan">Reconstruction of the units.</param>
    /// <param name="Weights">The rows that read them [k, m].</param>
    /// <param name="Correction">Receives the correction of these rows.</param>
    private sealed record Source(float[] Values, UnitPlan Plan, Matrix Weights, Matrix Correction)
    {
        // W (I - A E_J): what the fold loses.
        public Matrix Lost => Weights * (Matrix.Identity(Plan.Units) - Plan.FoldOrSelector() * Selector);

        public Matrix Selector => Matrix.Identity(Plan.Units).SelectRows(Plan.Kept);
    }
}
