namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Forward selection in closed form (docs/method.md, section 3.2): k times the unit that lowers the loss most is added; O(m^2) per unit. Among equals
/// the first is added.
/// </summary>
public sealed class GreedySelector : ISelector
{
    /// <inheritdoc/>
    public string Name => "greedy";

    /// <inheritdoc/>
    public Selection Select(SelectionProblem problem, int keep)
    {
        problem.CheckKeep(keep);
        SweepTableau tableau = new(problem, [], movesKept: false, movesDropped: true);
        List<int> order = [];
        List<LossPoint> path = [new(0, problem.WholeLoss)];
        while (order.Count < keep)
        {
            int best = -1;
            double bestGain = 0;
            for (int i = 0; i < problem.Units; i++)
            {
                if (tableau.IsKept(i) || tableau.IsDependent(i)) continue;
                double gain = tableau.Change(i);
                if (best < 0 || gain > bestGain) (best, bestGain) = (i, gain);
            }

            if (best < 0) throw Reconstruction.Singular(keep);
            tableau.Move(best);
            order.Add(best);
            path.Add(new LossPoint(order.Count, path[^1].Loss - bestGain));
        }

        int[] kept = [.. order.Order()];
        return new Selection(kept, problem.Loss(kept), order, path);
    }
}
