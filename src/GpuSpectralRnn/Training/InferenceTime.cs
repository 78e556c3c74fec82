using System.Diagnostics;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Training;

/// <summary>How long a network takes to answer, measured in the same way for every network.</summary>
public static class InferenceTime
{
    private const int WarmUps = 2;

    /// <summary>
    /// Median time of a forward pass over one batch that is already on the device, per sequence: after two passes to warm up, each pass is timed to
    /// its end on the device.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="data">Where the batch comes from.</param>
    /// <param name="batchSize">Sequences of the batch, or all if there are fewer.</param>
    /// <param name="passes">Passes that are timed.</param>
    /// <returns>Milliseconds.</returns>
    /// <exception cref="InvalidCallException">The data do not fit the network.</exception>
    public static double MillisecondsPerSequence(Network network, ISequenceData data, int batchSize, int passes = 15)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(passes, 1);
        network.Architecture.CheckFits(data.Layout, data.Name);
        using BatchFeed feed = new(data, network.Backend, batchSize);
        feed.Next();
        double[] times = new double[passes];
        for (int pass = -WarmUps; pass < passes; pass++)
        {
            long start = Stopwatch.GetTimestamp();
            network.Forward(feed.Current);
            network.Backend.Synchronize();
            if (pass >= 0) times[pass] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / feed.Size;
        }

        return Median(times);
    }

    /// <summary>The middle of some values, or the mean of the two in the middle; they are left in their order.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0) throw new ArgumentException("There is no median of nothing.", nameof(values));
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
