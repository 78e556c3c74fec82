using System.Diagnostics;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Training;

/// <summary>Measures the time of work on a backend.</summary>
public static class MedianTime
{
    /// <summary>
    /// The median of <paramref name="runs"/> runs in milliseconds, each until the device has finished, after those of <see cref="WarmUp"/>.
    /// </summary>
    public static double Measure(IBackend backend, Action work, int runs, TimeSpan warmUp = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        WarmUp(backend, work, warmUp);
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

    /// <summary>
    /// Runs twice, and on until <paramref name="least"/> is over: the runtime compiles what runs often anew, in the background, for most of the first second.
    /// </summary>
    public static void WarmUp(IBackend backend, Action work, TimeSpan least)
    {
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < 2 || Stopwatch.GetElapsedTime(begin) < least; i++)
        {
            work();
            backend.Synchronize();
        }
    }

    /// <summary>The median of the values, whose order is unchanged.</summary>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0) throw new ArgumentException("There is no median of nothing.", nameof(values));
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
