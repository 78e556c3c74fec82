using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Finds the smallest size whose validation metric stays within a tolerance, by bisection over a common fraction of every layer's units.
/// </summary>
/// <param name="calibration">The network and its calibration.</param>
/// <param name="prune">Returns the smaller network for numbers of units; the search disposes it.</param>
/// <param name="measure">Returns the metric on data that the compression did not use.</param>
public sealed class ToleranceSearch(Calibration calibration, Func<IReadOnlyList<int>, Network> prune, Func<Network, Evaluation> measure)
{
    /// <summary>Called for each size tried, with its metric.</summary>
    public Action<IReadOnlyList<int>, Evaluation>? Tried { get; init; }

    /// <summary>The smallest k per layer that meets the tolerance. Bisection assumes that the metric improves with k.</summary>
    /// <param name="tolerance">Largest deterioration of the metric: 0.005 is half a percentage point of accuracy; for errors the increase.</param>
    /// <param name="roundTo">Only multiples of this are tried.</param>
    /// <exception cref="InvalidCallException">The tolerance is negative or not a number.</exception>
    public int[] Find(double tolerance, int roundTo = 1)
    {
        if (!(tolerance >= 0)) throw new InvalidCallException($"`tolerance` {tolerance}: choose a number of 0 or more, for example 0.005.");
        if (roundTo < 1) throw new InvalidCallException($"`roundTo` {roundTo}: choose 1 or more.");
        int[] units = calibration.Network.Recipe.CountUnits(calibration.Network.Graph);
        Evaluation whole = measure(calibration.Network);
        double limit = whole.IsLargerBetter ? whole.Value - tolerance : whole.Value + tolerance;
        int widest = units.Max(), good = (widest + roundTo - 1) / roundTo, bad = 0; // in multiples of roundTo, of the widest layer
        while (good - bad > 1)
        {
            calibration.Cancellation.ThrowIfCancellationRequested();
            int middle = (good + bad) / 2;
            int[] keep = At(middle);
            using Network small = prune(keep);
            Evaluation result = measure(small);
            Tried?.Invoke(keep, result);
            bool isGood = result.IsLargerBetter ? result.Value >= limit : result.Value <= limit;
            if (isGood) good = middle;
            else bad = middle;
        }

        return At(good);

        int[] At(int multiples) =>
            Budget.Rounded(units, Budget.OfShare(units, Math.Min(1, (double)multiples * roundTo / widest)), roundTo);
    }
}
