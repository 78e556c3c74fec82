using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>A candidate of <see cref="AutoPruning"/>.</summary>
/// <param name="Settings">Its settings.</param>
/// <param name="OutputDivergence">Divergence from the big network on the held-out inputs.</param>
/// <param name="Plan">Its plan.</param>
public sealed record Candidate(SpectralSettings Settings, OutputDivergence OutputDivergence, PruningPlan Plan);

/// <summary>
/// Spectral pruning that tries the known criteria, Gram matrices, selection algorithms and refits, and takes the candidate closest to the big network
/// on held-out calibration inputs (docs/method.md, section 7.4). No labels are used.
/// </summary>
/// <param name="settings">Ridge, fold and refit of all candidates; candidates with less refitting than the given one are tried too.</param>
/// <param name="isBrief">
/// Whether only the adjoint criterion is tried, backward, plain and time-weighted, with the usual ridge and smaller ones: after refinement the
/// choices of the long search are worth nothing (docs/compression-results.md).
/// </param>
public sealed class AutoPruning(SpectralSettings settings, bool isBrief = false) : IPruningMethod
{
    /// <summary>
    /// How many of the best candidates are also tried with smaller ridges, with an intercept, and without reconstruction (which is best where the
    /// dropped units are idle); then how many get a refitted read-out, which is cheap, and how many of the best of those refitted rows.
    /// </summary>
    private const int WithSmallerRidges = 3, WithIntercept = 6, Unreconstructed = 4, NewReadouts = 10, NewRows = 5;

    /// <summary>Factors on the default ridge: its bias accumulates over hundreds of steps, where 1e-6 was better than the default 1e-4.</summary>
    private static readonly double[] SmallerRidges = [1e-1, 1e-2];

    /// <inheritdoc/>
    public string Name => MethodSpec.Spectral;

    /// <summary>Called for each candidate after its divergence was measured.</summary>
    public Action<Candidate>? Tried { get; set; }

    /// <summary>The candidate chosen by the last <see cref="Plan"/>.</summary>
    public Candidate? Chosen { get; private set; }

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        using DivergenceMeter meter = DivergenceMeter.OfChoice(calibration);
        List<Candidate> tried = [.. Grid(calibration).Select(Try)];
        if (settings.Ridge is null)
        {
            double usual = calibration.DefaultRidge(calibration.Network.Graph.PrunableAxes[0]);
            IEnumerable<SpectralSettings> smaller =
                from candidate in tried.OrderBy(Rank).Take(isBrief ? 1 : WithSmallerRidges).ToArray()
                from factor in SmallerRidges
                select candidate.Settings with { Ridge = usual * factor };
            tried.AddRange(smaller.Select(Try));
        }

        if (settings.Fold == FoldKind.Linear && !isBrief)
        {
            SpectralSettings[] best = [.. tried.OrderBy(Rank).Select(candidate => candidate.Settings)];
            IEnumerable<SpectralSettings> more =
            [
                .. best.Where(candidate => !candidate.IsTimeWeighted).Take(WithIntercept)
                    .Select(candidate => candidate with { Fold = FoldKind.Affine }),
                .. best.Where(candidate => candidate.Ridge == settings.Ridge).Take(Unreconstructed)
                    .Select(candidate => candidate with { Fold = FoldKind.None }),
            ];
            tried.AddRange(more.Select(Try));
        }

        if (settings.Refit != Refit.None)
        {
            // The folds whose outputs are closest once the read-out is fitted to them are the ones worth new rows.
            Candidate[] best = [.. tried.OrderBy(Rank).Take(NewReadouts)];
            Candidate[] refitted = [.. best.Select(candidate => TryRefit(candidate, Refit.Readout))];
            tried.AddRange(refitted);
            if (settings.Refit == Refit.Rows)
                tried.AddRange(
                    best.Zip(refitted).OrderBy(pair => Rank(pair.Second)).Take(NewRows).Select(pair => TryRefit(pair.First, Refit.Rows)));
        }

        Chosen = tried.MinBy(Rank)!;
        return Chosen.Plan;

        Candidate Try(SpectralSettings candidate) => Report(candidate, new SpectralPruning(candidate).Plan(calibration, keep));

        Candidate TryRefit(Candidate candidate, Refit refit)
        {
            PruningPlan plan = refit == Refit.Rows ? RowRefit.Apply(calibration, candidate.Plan) : candidate.Plan;
            return Report(candidate.Settings with { Refit = refit }, ReadoutRefit.Apply(calibration, plan));
        }

        Candidate Report(SpectralSettings candidate, PruningPlan plan)
        {
            Candidate result = new(candidate, meter.Measure(calibration.Weights, plan), plan);
            Tried?.Invoke(result);
            MatrixMemory.Reclaim();
            return result;
        }
    }

    private static double Rank(Candidate candidate) =>
        double.IsNaN(candidate.OutputDivergence.Divergence) ? double.PositiveInfinity : candidate.OutputDivergence.Divergence;

    private IEnumerable<SpectralSettings> Grid(Calibration calibration)
    {
        List<(SpectralCriterion Criterion, double Theta)> criteria =
        [
            (SpectralCriterion.AdjointOutput, 0),
            (SpectralCriterion.Paper, 0),
            (SpectralCriterion.Paper, 0.5),
            (SpectralCriterion.Paper, 1),
        ];

        // Many classes: the Fisher metric says more, and gradients in both metrics cost too much.
        if (calibration.Network.Recipe.Task == TaskKind.Classification) criteria.Insert(0, (SpectralCriterion.Fisher, 0));
        if (calibration.Metric == AdjointMetric.Identity) criteria.Insert(0, (SpectralCriterion.Adjoint, 0));

        UnitSearch[] searches = [UnitSearch.Backward, UnitSearch.Greedy];
        if (isBrief)
        {
            criteria = [(calibration.Metric == AdjointMetric.Fisher ? SpectralCriterion.Fisher : SpectralCriterion.Adjoint, 0)];
            searches = [UnitSearch.Backward];
        }

        // With an output at every step the step weights are nearly equal.
        bool[] timeWeighted = !calibration.Network.Graph.AnswersEveryStep && settings.Fold != FoldKind.Affine ? [false, true] : [false];
        return
            from criterion in criteria
            from isTimeWeighted in timeWeighted
            from search in searches
            select settings with
            {
                Criterion = criterion.Criterion,
                Theta = criterion.Theta,
                IsTimeWeighted = isTimeWeighted,
                Search = search,
                Refit = Refit.None,
            };
    }
}
