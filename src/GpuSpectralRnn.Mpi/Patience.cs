using System.Diagnostics;

namespace GpuSpectralRnn.Mpi;

/// <summary>
/// How long to pause between two looks at something that others finish: hardly at first, for answers that are on their way; then longer and longer,
/// since a core that looks all the time computes nothing. A pause adds a quarter to a wait of microseconds, at most 1 ms to one of less than 0.4 s, and
/// at most 10 ms.
/// </summary>
/// <param name="bytes">What is on its way. Libraries move large messages in pieces, and some of them only while they are asked.</param>
internal struct Patience(long bytes)
{
    private const double Spin = 50; // microseconds, like all times here
    private const double BytesInOne = 1000; // a slow memory's, so that a message in memory is through before the first nap
    private const double ShortestNap = 10;
    private const double LongNap = 1000;
    private const double LongestNap = 10_000;

    private readonly double spin = Spin + (bytes / BytesInOne);
    private long start;

    /// <summary>Pauses.</summary>
    public void Pause()
    {
        if (start == 0) start = Stopwatch.GetTimestamp();
        double waited = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        if (waited < spin)
            Thread.Yield();
        else
            SharedObject.Sleep((int)Nap(waited - spin));
    }

    /// <summary>A pause after so long a wait, both in microseconds.</summary>
    internal static double Nap(double waited) =>
        Math.Max(Math.Clamp(waited / 4, ShortestNap, LongNap), Math.Min(waited / 400, LongestNap));
}
