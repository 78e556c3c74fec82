using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Tests.Spectral;

/// <summary>
/// Tries every set of k units, for layers of at most <see cref="MostUnits"/>: the yardstick for the other selectors. Singular sets are passed over.
/// </summary>
internal sealed class ExhaustiveSelector : ISelector
{
    /// <summary>The largest layer it takes: 184,756 sets of 10 among 20 units.</summary>
    public const int MostUnits = 20;

    /// <inheritdoc/>
    public string Name => "exhaustive";

    /// <inheritdoc/>
    public Selection Select(SelectionProblem problem, int keep)
    {
        problem.CheckKeep(keep);
        if (problem.Units > MostUnits)
        {
            throw new InvalidCallException($"Exhaustive selection takes layers of at most {MostUnits} units, not {problem.Units}.");
        }

        // Tr(M R_J) = Tr(M S) - Tr((S_JJ + I_tau)^{-1} (S M S)_JJ) needs only k x k matrices.
        Matrix product = problem.Gram * problem.Criterion * problem.Gram;
        int[] set = [.. Enumerable.Range(0, keep)];
        int[]? best = null;
        double most = double.NegativeInfinity;
        do
        {
            Matrix block = problem.Gram.SelectRows(set).SelectColumns(set);
            for (int i = 0; i < keep; i++) block[i, i] += problem.Ridge[set[i]];
            if (Cholesky.TryFactor(block) is not { } factor) continue;
            double explained = factor.Solve(product.SelectRows(set).SelectColumns(set)).Trace();
            if (explained > most) (best, most) = ([.. set], explained);
        }
        while (MoveNext(set, problem.Units));
        return best is null ? throw Reconstruction.Singular(keep) : new Selection(best, problem.Loss(best), [], []);
    }

    // The next set in lexicographic order.
    private static bool MoveNext(int[] set, int units)
    {
        int place = set.Length - 1;
        while (place >= 0 && set[place] == units - set.Length + place) place--;
        if (place < 0) return false;
        set[place]++;
        for (int i = place + 1; i < set.Length; i++) set[i] = set[i - 1] + 1;
        return true;
    }
}
