using System.Diagnostics;

namespace GpuSpectralRnn.Compute;

/// <summary>Times work of a backend from start to end.</summary>
internal static class MedianTime
{
    /// <summary>The median of <paramref name="runs"/> runs in milliseconds, each waited for, after two that warm up.</summary>
    public static double Of(IBackend backend, Action work, int runs)
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

        Array.Sort(times);
        return (times[(runs - 1) / 2] + times[runs / 2]) / 2;
    }
}
