namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Backward elimination (docs/method.md, section 3.3): from all units, m - k times the unit whose removal raises the loss least is removed; O(m^2)
/// per unit. Among equals the last is removed.
/// </summary>
public sealed class BackwardSelector : ISelector
{
    /// <inheritdoc/>
    public string Name => "backward";

    /// <inheritdoc/>
    public Selection Select(SelectionProblem problem, int keep)
    {
        problem.CheckKeep(keep);
        int[] all = [.. Enumerable.Range(0, problem.Units)];
        SweepTableau tableau = new(problem, all, movesKept: true, movesDropped: false);
        List<int> order = [];
        List<LossPoint> path = [new(problem.Units, tableau.Loss())];
        while (problem.Units - order.Count > keep)
        {
            int best = -1;
            double leastCost = double.PositiveInfinity;
            for (int i = 0; i < problem.Units; i++)
            {
                if (!tableau.IsKept(i)) continue;
                double cost = tableau.Change(i);
                if (best < 0 || cost <= leastCost) (best, leastCost) = (i, cost);
            }

            tableau.Move(best);
            order.Add(best);
            path.Add(new LossPoint(problem.Units - order.Count, path[^1].Loss + leastCost));
        }

        int[] kept = tableau.Kept();
        return new Selection(kept, problem.Loss(kept), order, path);
    }
}
