using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Rows fitted again, gate by gate (section 9 of the method). What the fold loses of the kept rows' sums, r = W (h - A h_J - c) + V (x - A x_J - c), is
/// regressed on z = [h_J, x_J, 1] over the big network's own states, with the weights of <see cref="GateWeights"/>, so that errors count where they reach
/// the outputs; the ridge pulls towards no correction. A GRU's rows n are no such sum: the reset gate multiplies the product, not the input. What is lost
/// of the product is regressed on [h_J, 1] there, what is lost of the input on [x_J, 1]. A good step mostly, not always: judge the result.
/// </summary>
public static class RowRefit
{
    /// <summary>Ridge over the weighted mean square of the kept states.</summary>
    private const double RelativeRidge = 1e-2;

    /// <summary>The plan with corrections for every recurrence's rows.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static PruningPlan Apply(Calibration calibration, PruningPlan plan)
    {
        Network network = calibration.Network;
        Architecture architecture = network.Architecture;
        GateWeights gateWeights = calibration.GateWeights;
        RowCorrection[] corrections = [.. Enumerable.Range(0, architecture.Recurrences).Select(r => Empty(plan, architecture, r))];
        using Disposables owned = new();
        List<Problem> problems = [];
        for (int r = 0; r < architecture.Recurrences; r++)
            foreach (Problem problem in Problems(calibration, plan, r, corrections[r])) problems.Add(owned.Keep(problem));
        using BatchFeed feed = new(calibration.GradientInputs, network.Backend, calibration.BatchSize);
        int cells = calibration.Inputs.Layout.Steps * feed.BatchSize;
        Tensor before = owned.Keep(network.Backend.Allocate(new Shape(cells * architecture.Hidden.Max())));
        Tensor weights = owned.Keep(network.Backend.Allocate(new Shape(cells)));
        for (int batch = 0; feed.Next(); batch++)
        {
            calibration.Cancellation.ThrowIfCancellationRequested();
            network.Forward(feed.Current);
            foreach (IGrouping<int, Problem> recurrence in problems.GroupBy(problem => problem.Recurrence))
            {
                Tensor previous = Previous(network, recurrence.Key, before), input = network.LayerInput(recurrence.Key / architecture.Directions);
                foreach (Problem problem in recurrence)
                {
                    float[] u = gateWeights.Of(problem.Recurrence, problem.Gate, batch);
                    Tensor view = weights.View(0, u.Length);
                    view.CopyFrom<float>(u);
                    problem.Add(previous, input, view);
                }
            }
        }

        foreach (Problem problem in problems) problem.Solve();
        return plan with { Recurrences = [.. plan.Recurrences.Select((part, r) => part with { Correction = corrections[r] })] };
    }

    private static RowCorrection Empty(PruningPlan plan, Architecture architecture, int recurrence)
    {
        int kept = plan.Recurrences[recurrence].Kept.Length, rows = architecture.Cell.Gates() * kept, layer = recurrence / architecture.Directions;
        int inputs = plan.Below(architecture, layer)?.Kept.Length ?? architecture.Inputs;
        return new RowCorrection(new Matrix(rows, kept), new Matrix(rows, inputs), new double[rows], new double[rows]);
    }

    private static IEnumerable<Problem> Problems(Calibration calibration, PruningPlan plan, int recurrence, RowCorrection correction)
    {
        Architecture architecture = calibration.Network.Architecture;
        LayerPlan own = plan.Recurrences[recurrence];
        LayerWeights weights = calibration.Weights.Recurrences[recurrence];
        LayerPlan below = plan.Below(architecture, recurrence / architecture.Directions) ?? LayerPlan.Whole(weights.Input.Columns);
        for (int gate = 0; gate < architecture.Cell.Gates(); gate++)
        {
            int[] rows = Array.ConvertAll(own.Kept, j => gate * own.Units + j);
            Source states = new(own, weights.Hidden.SelectRows(rows), correction.Hidden);
            Source inputs = new(below, weights.Input.SelectRows(rows), correction.Input);
            if (architecture.Cell != Cell.Gru || gate < 2)
            {
                yield return new Problem(calibration.Network.Backend, recurrence, gate, states, inputs, correction.Bias);
                continue;
            }

            yield return new Problem(calibration.Network.Backend, recurrence, gate, states, null, correction.Bias);
            if (below.Fold is not null || below.Kept.Length < below.Units)
                yield return new Problem(calibration.Network.Backend, recurrence, gate, null, inputs, correction.InputBias);
        }
    }

    // The states that the recurrent product saw [T, B, H]: those of the step walked before, for the first the state that the walk began from.
    private static Tensor Previous(Network network, int recurrence, Tensor memory)
    {
        Tensor states = network.RecurrenceStates(recurrence);
        (int steps, int size, int hidden) = (states.Shape[0], states.Shape[1], states.Shape[2]);
        int row = size * hidden, rest = (steps - 1) * row;
        bool isReverse = network.Architecture.IsReverse(recurrence);
        Tensor first = memory.View(isReverse ? rest : 0, row);
        if (network.StartOf(recurrence / network.Architecture.Directions) is { } start) network.Backend.Copy(start.Hidden.View(0, row), first);
        else network.Backend.Fill(first, 0);
        network.Backend.Copy(states.View(isReverse ? row : 0, rest), memory.View(isReverse ? 0 : row, rest));
        return memory.View(0, steps, size, hidden);
    }

    /// <summary>Something that rows read: how it is reconstructed, what reads it [k, m], and where the correction of that goes.</summary>
    private sealed record Source(LayerPlan Plan, Matrix Weights, Matrix Correction)
    {
        // W (I - A E_J): what the fold loses.
        public Matrix Lost => Weights * (Matrix.Identity(Plan.Units) - Plan.FoldOrSelector() * Selector);

        public Matrix Selector => Matrix.Identity(Plan.Units).SelectRows(Plan.Kept);
    }

    /// <summary>One weighted least-squares problem, of all kept rows of a gate: moments of [z, r].</summary>
    private sealed class Problem : IDisposable
    {
        private readonly Source[] sources;
        private readonly bool readsStates;
        private readonly double[] bias;
        private readonly int regressors, kept;
        private readonly JointRows rows;
        private readonly GramSums moments;

        public Problem(IBackend backend, int recurrence, int gate, Source? states, Source? inputs, double[] bias)
        {
            (Recurrence, Gate, readsStates, this.bias) = (recurrence, gate, states is not null, bias);
            sources = [.. new[] { states, inputs }.OfType<Source>()];
            kept = sources[0].Weights.Rows;
            regressors = sources.Sum(source => source.Plan.Kept.Length) + 1;
            int width = regressors + kept, first = 0;
            double[] constant = new double[width];
            constant[regressors - 1] = 1;
            List<Matrix> maps = [];
            foreach (Source source in sources)
            {
                maps.Add(JointRows.Place(width, first, source.Selector) + JointRows.Place(width, regressors, source.Lost));
                first += source.Plan.Kept.Length;
                if (source.Plan.Offset is not { } offset) continue;
                for (int i = 0; i < kept; i++) constant[regressors + i] -= VectorOps.Dot(source.Weights.Row(i), offset);
            }

            rows = new JointRows(backend, constant, [.. maps]);
            moments = backend.Spectral.CreateGram(width);
        }

        public int Recurrence { get; }

        public int Gate { get; }

        public void Add(Tensor previous, Tensor input, Tensor weights) =>
            moments.Add(sources.Length == 2 ? rows.Join(previous, input) : rows.Join(readsStates ? previous : input), weights);

        // (M_zz + ridge) C = M_zr; nothing where z has no spread.
        public void Solve()
        {
            (Matrix all, _) = StatisticsCollector.Read(moments);
            int[] z = [.. Enumerable.Range(0, regressors)], r = [.. Enumerable.Range(regressors, kept)];
            Matrix zz = all.SelectRows(z).SelectColumns(z), zr = all.SelectRows(z).SelectColumns(r);
            double square = 0;
            for (int j = 0; j < sources[0].Plan.Kept.Length; j++) square += zz[j, j] / sources[0].Plan.Kept.Length;
            for (int j = 0; j < regressors; j++) zz[j, j] += RelativeRidge * square;
            if (!zz.IsFinite() || !zr.IsFinite() || Cholesky.TryFactor(zz) is not { } factor) return;
            Matrix change = factor.Solve(zr); // [z, k]
            for (int i = 0; i < kept; i++)
            {
                int row = Gate * kept + i, at = 0;
                foreach (Source source in sources)
                    for (int j = 0; j < source.Plan.Kept.Length; j++) source.Correction[row, j] = change[at++, i];
                bias[row] = change[at, i];
            }
        }

        public void Dispose()
        {
            rows.Dispose();
            moments.Dispose();
        }
    }
}
