using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Refines another selector's set (docs/method.md, section 3.4): of all exchanges of a kept unit for a dropped one the best is made, as long as it
/// lowers the loss. Never worse than what it starts from.
/// </summary>
/// <param name="start">Where the set comes from.</param>
public sealed class SwapSelector(ISelector start) : ISelector
{
    /// <summary>An exchange must lower the loss by this share of the empty set's loss, well above rounding.</summary>
    private const double LeastShare = 1e-12;

    /// <inheritdoc/>
    public string Name => $"{start.Name} + swap";

    /// <inheritdoc/>
    public Selection Select(SelectionProblem problem, int keep)
    {
        Selection first = start.Select(problem, keep);
        if (keep == problem.Units) return first;
        SweepTableau tableau = new(problem, first.Kept, movesKept: true, movesDropped: true);

        // Each exchange lowers the loss, so no set comes twice; the limit only guards the time.
        for (int exchange = 0; exchange < 10 * problem.Units; exchange++)
        {
            int[] kept = tableau.Kept();
            int[] dropped = [.. Enumerable.Range(0, problem.Units).Except(kept)];
            Matrix changes = tableau.Exchanges(kept, dropped);
            int best = 0;
            for (int i = 1; i < changes.Data.Length; i++)
                if (changes.Data[i] < changes.Data[best]) best = i;
            if (!(changes.Data[best] < -LeastShare * problem.WholeLoss)) break;
            tableau.Move(kept[best / dropped.Length]);
            tableau.Move(dropped[best % dropped.Length]);
        }

        int[] refined = tableau.Kept();
        double loss = problem.Loss(refined);
        return loss < first.Loss ? first with { Kept = refined, Loss = loss } : first;
    }
}
