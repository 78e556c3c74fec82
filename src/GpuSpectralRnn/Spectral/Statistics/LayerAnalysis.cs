using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>A loss as a function of the number of kept units, for one selector.</summary>
/// <param name="Loss"><c>input</c> (L_A), <c>output</c> (L_B) or <c>adjoint</c> (L_G).</param>
/// <param name="Selector">
/// <c>greedy</c> and <c>backward</c>, which minimise this loss, <c>leverage</c> and <c>random</c>, which do not depend on it, or <c>rank-bound</c>, which no
/// units can come below (<see cref="Spectrum.RankBound"/>).
/// </param>
/// <param name="ByKept">The loss of k units at index k, 0 to m; NaN for sizes that the selector did not reach.</param>
public sealed record LossCurve(string Loss, string Selector, double[] ByKept)
{
    /// <summary>The selector of the bound.</summary>
    public const string RankBound = "rank-bound";
}

/// <summary>The degrees of freedom at one lambda.</summary>
/// <param name="Lambda">lambda.</param>
/// <param name="Value">N(lambda).</param>
public readonly record struct DegreesOfFreedomPoint(double Lambda, double Value);

/// <summary>
/// Analysis of the second moments of a layer's states: spectrum, leverage scores and losses (docs/method.md, sections 1.3, 3 and 4).
/// </summary>
/// <param name="Name">The layer, for example <c>l0</c>.</param>
/// <param name="Steps">Steps over which the moments are averaged.</param>
/// <param name="Spectrum">Spectrum of the Gram matrix.</param>
/// <param name="DeadUnits">Units whose state was zero at every step.</param>
/// <param name="LeverageLambda">The lambda of the leverage scores.</param>
/// <param name="Leverage">q_j of every unit; they sum to 1.</param>
/// <param name="DegreesOfFreedom">N(lambda) at 17 values of lambda, two in every decade, from mu_1 down.</param>
/// <param name="Curves">Losses as functions of k.</param>
public sealed record LayerAnalysis(
    string Name,
    double Steps,
    Spectrum Spectrum,
    int DeadUnits,
    double LeverageLambda,
    IReadOnlyList<double> Leverage,
    IReadOnlyList<DegreesOfFreedomPoint> DegreesOfFreedom,
    IReadOnlyList<LossCurve> Curves)
{
    private const int GridSize = 17;

    /// <summary>Ridge of the losses, relative to Tr S / m.</summary>
    public double Ridge { get; private init; }

    /// <summary>m, the number of units.</summary>
    public int Units => Spectrum.Units;

    /// <summary>
    /// By how much the adjoint-weighted loss of k units by backward elimination stands above the rank bound; null without gradients, or where the bound
    /// is zero. Large where units are worth much less than directions: not a bad search, but a layer that whole units compress badly.
    /// </summary>
    public double? RankRatio(int kept)
    {
        double[]? At(string selector) => Curves.FirstOrDefault(curve => curve.Loss == "adjoint" && curve.Selector == selector)?.ByKept;
        return At(LossCurve.RankBound) is { } bound && At("backward") is { } loss && bound[kept] > 1e-9 * bound[0] ? loss[kept] / bound[kept] : null;
    }

    /// <summary>Analyses a layer.</summary>
    /// <param name="covariance">Second moments of its states.</param>
    /// <param name="consumers">W [r, m], all rows that read them.</param>
    /// <param name="adjoint">G [m, m]; null where it is not known, and then no curves of L_G.</param>
    /// <param name="ridge">Ridge tau relative to Tr S / m; the leverage scores are taken at lambda = tau.</param>
    /// <param name="seed">Seed of the draws by leverage and uniformly.</param>
    /// <exception cref="InvalidCallException">Nothing was collected, or the ridge is 0 and S is singular.</exception>
    public static LayerAnalysis Compute(SecondMoments covariance, Matrix consumers, Matrix? adjoint, double ridge, ulong seed)
    {
        Matrix gram = covariance.Mean();
        Spectrum spectrum = Spectrum.Compute(gram);
        double[] tau = Spectral.Ridge.Uniform(gram, ridge);
        double lambda = tau[0], largest = spectrum.Eigenvalues[0];
        double[] leverage = spectrum.Leverage(lambda);
        List<(string, Matrix)> losses = [("input", Criterion.Input(gram.Rows)), ("output", Criterion.Output(consumers))];
        if (adjoint is not null) losses.Add(("adjoint", adjoint));
        ISelector[] selectors =
            [new GreedySelector(), new BackwardSelector(), SampledSelector.Leverage(leverage, seed), SampledSelector.Uniform(seed + 1)];
        LossCurve[] bound = adjoint is null ? [] : [new LossCurve("adjoint", LossCurve.RankBound, spectrum.RankBound(adjoint))];
        return new LayerAnalysis(
            covariance.Layer,
            covariance.Weight,
            spectrum,
            Enumerable.Range(0, gram.Rows).Count(j => gram[j, j] == 0),
            lambda,
            leverage,
            [.. Enumerable.Range(0, GridSize).Select(i => (largest > 0 ? largest : 1) * Math.Pow(10, -0.5 * i))
                .Select(at => new DegreesOfFreedomPoint(at, spectrum.DegreesOfFreedom(at)))],
            [.. losses.SelectMany(loss =>
                selectors.Select(selector => Curve(loss.Item1, new SelectionProblem(gram, tau, loss.Item2), selector))), .. bound]) { Ridge = ridge };
    }

    private static LossCurve Curve(string loss, SelectionProblem problem, ISelector selector)
    {
        // Backward elimination passes every size on its way down to one unit, the others on their way up to all.
        Selection path = selector.Select(problem, selector is BackwardSelector ? 1 : problem.Units);
        double[] byKept = new double[problem.Units + 1];
        Array.Fill(byKept, double.NaN);
        byKept[0] = problem.WholeLoss;
        foreach (LossPoint point in path.Path) byKept[point.Kept] = Math.Max(0, point.Loss);
        return new LossCurve(loss, selector.Name, byKept);
    }
}
