using System.Diagnostics;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Training;

/// <summary>Times work of a backend from start to end.</summary>
public static class MedianTime
{
    /// <summary>The median of <paramref name="runs"/> runs in milliseconds, each waited for, after two that warm up.</summary>
    public static double Measure(IBackend backend, Action work, int runs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        for (int i = 0; i < 2; i++) work();
        double[] times = new double[runs];
        for (int i = 0; i < runs; i++)
        {
            backend.Synchronize();
            long start = Stopwatch.GetTimestamp();
            work();
            backend.Synchronize();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return Of(times);
    }

    /// <summary>The middle of some values, or the mean of the two in the middle; they are left in their order.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0) throw new ArgumentException("There is no median of nothing.", nameof(values));
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
