using System.Diagnostics;
using GpuSpectralRnn.Onnx.Calibration;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Proof;

/// <summary>Times two graphs against each other.</summary>
internal static class CallTimes
{
    /// <summary>
    /// Microseconds of a call in each, one thread: the best of some rounds over one sequence of each choice, in turns, after one to warm up.
    /// </summary>
    public static (double First, double Second) Measure(InferenceSession first, InferenceSession second, GraphCalls calls, int sequence, int rounds)
    {
        double[] best = [double.NaN, double.NaN];
        for (int round = 0; round <= rounds && rounds > 0; round++)
        {
            foreach ((InferenceSession session, int i) in new[] { (first, 0), (second, 1) })
            {
                // A sequence of a single call is too short for the clock.
                int[] sequences = [.. Enumerable.Range(sequence, calls.Variants)];
                int once = sequences.Sum(calls.CallsOf), repeats = Math.Max(1, 200 / once);
                long start = Stopwatch.GetTimestamp();
                for (int repeat = 0; repeat < repeats; repeat++)
                    foreach (int each in sequences) calls.Run(session, each, [.. session.OutputNames], _ => { });
                double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / ((double)repeats * once);
                if (round > 0) best[i] = double.IsNaN(best[i]) ? time : Math.Min(best[i], time);
            }
        }

        return (best[0], best[1]);
    }
}
