using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Refines another selector's set by exchanges (docs/method.md, section 3.4): the best exchange of a kept unit for a dropped one is made as long as
/// it lowers the loss. The result is never worse than the start.
/// </summary>
/// <param name="start">Selector of the initial set.</param>
public sealed class SwapSelector(ISelector start) : ISelector
{
    /// <summary>Least decrease of the loss by an exchange, relative to the empty set's loss; well above rounding.</summary>
    private const double LeastShare = 1e-12;

    /// <inheritdoc/>
    public string Name => $"{start.Name} + swap";

    /// <inheritdoc/>
    public Selection Select(SelectionProblem problem, int keep)
    {
        Selection first = start.Select(problem, keep);
        if (keep == problem.Units) return first;
        SweepTableau tableau = new(problem, first.Kept, movesKept: true, movesDropped: true);

        // Each exchange lowers the loss, so no set recurs; the limit only bounds the time.
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
