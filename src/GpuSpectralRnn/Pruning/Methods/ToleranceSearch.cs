using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Finds the smallest size within a tolerance, by bisection over a common fraction of every layer's units: of the divergence from the big network,
/// without labels, or of the fall of the metric.
/// </summary>
public sealed class ToleranceSearch
{
    private readonly Calibration calibration;
    private readonly Func<IReadOnlyList<int>, Network> prune;
    private readonly Func<Network, (double Loss, object Shown)> measure; // smaller is better
    private readonly bool isRelative;

    private ToleranceSearch(
        Calibration calibration, Func<IReadOnlyList<int>, Network> prune, Func<Network, (double Loss, object Shown)> measure, bool isRelative) =>
        (this.calibration, this.prune, this.measure, this.isRelative) = (calibration, prune, measure, isRelative);

    /// <summary>Called for each size tried, with what was measured.</summary>
    public Action<IReadOnlyList<int>, object>? Tried { get; set; }

    /// <summary>A search by the mean KL, of a regression the mean squared difference, on the inputs that the calibration chooses by.</summary>
    /// <param name="calibration">The network and its calibration.</param>
    /// <param name="prune">Returns the smaller network for numbers of units; the search disposes it.</param>
    public static ToleranceSearch OnDivergence(Calibration calibration, Func<IReadOnlyList<int>, Network> prune) => new(
        calibration,
        prune,
        small =>
        {
            OutputDivergence found = OutputDivergence.Measure(calibration, small);
            return (found.Divergence, found);
        },
        isRelative: false);

    /// <summary>A search by how much the metric deteriorates.</summary>
    /// <param name="calibration">The network and its calibration.</param>
    /// <param name="prune">Returns the smaller network for numbers of units; the search disposes it.</param>
    /// <param name="evaluate">Returns the metric on labelled data that the compression did not use.</param>
    public static ToleranceSearch OnMetric(
        Calibration calibration, Func<IReadOnlyList<int>, Network> prune, Func<Network, Evaluation> evaluate) => new(
        calibration,
        prune,
        network =>
        {
            Evaluation result = evaluate(network);
            return (result.IsLargerBetter ? -result.Value : result.Value, result);
        },
        isRelative: true);

    /// <summary>The smallest k per layer within the tolerance. Bisection assumes that the results improve with k.</summary>
    /// <param name="tolerance">
    /// Largest divergence; of a metric its largest deterioration: 0.005 is half a percentage point of accuracy, for errors the increase.
    /// </param>
    /// <param name="roundTo">Only multiples of this are tried.</param>
    /// <exception cref="InvalidCallException">The tolerance is negative or not a number.</exception>
    public int[] Find(double tolerance, int roundTo = 1)
    {
        if (!(tolerance >= 0)) throw new InvalidCallException($"`tolerance` {tolerance}: choose a number of 0 or more, for example 0.005.");
        if (roundTo < 1) throw new InvalidCallException($"`roundTo` {roundTo}: choose 1 or more.");
        int[] units = calibration.Network.Recipe.CountUnits(calibration.Network.Graph);
        double limit = (isRelative ? measure(calibration.Network).Loss : 0) + tolerance;
        int widest = units.Max(), good = (widest + roundTo - 1) / roundTo, bad = 0; // in multiples of roundTo, of the widest layer
        while (good - bad > 1)
        {
            calibration.Cancellation.ThrowIfCancellationRequested();
            int middle = (good + bad) / 2;
            int[] keep = At(middle);
            using Network small = prune(keep);
            (double loss, object shown) = measure(small);
            Tried?.Invoke(keep, shown);
            if (loss <= limit) good = middle;
            else bad = middle;
        }

        return At(good);

        int[] At(int multiples) =>
            Budget.Rounded(units, Budget.OfShare(units, Math.Min(1, (double)multiples * roundTo / widest)), roundTo);
    }
}
