using System.Numerics;
using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Sums of squares in double precision, in chunks of fixed size, so that the number of threads does not change the bits.</summary>
internal sealed unsafe class SquareSum(HostParallel threads)
{
    private const int Chunk = 1 << 14;

    private double[] chunks = [];

    /// <summary>The sum of x^2.</summary>
    public double Run(float* x, long count) => Run(x, null, count, 0, null);

    /// <summary>The sum of (x - y)^2; writes factor (x - y) where a place for it is given, which may be x.</summary>
    public double Run(float* x, float* y, long count, float factor, float* scaled)
    {
        int number = checked((int)((count + Chunk - 1) / Chunk));
        if (chunks.Length < number) chunks = new double[number];
        threads.Split(number, 1, count, (_, from, to) =>
        {
            for (long i = from; i < to; i++) chunks[i] = OfChunk(x, y, i * Chunk, Math.Min(count, (i + 1) * Chunk), factor, scaled);
        });
        double sum = 0;
        for (int i = 0; i < number; i++) sum += chunks[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double OfChunk(float* x, float* y, long from, long to, float factor, float* scaled)
    {
        Vector<double> even = Vector<double>.Zero;
        Vector<double> odd = Vector<double>.Zero;
        Vector<float> scale = new(factor);
        long i = from;
        for (; i + Vector<float>.Count <= to; i += Vector<float>.Count)
        {
            Vector<float> difference = Vector.Load(x + i);
            if (y != null) difference -= Vector.Load(y + i);
            if (scaled != null) Vector.Store(scale * difference, scaled + i);
            Vector.Widen(difference, out Vector<double> low, out Vector<double> high);
            even += low * low;
            odd += high * high;
        }

        double sum = Vector.Sum(even + odd);
        for (; i < to; i++)
        {
            float difference = y != null ? x[i] - y[i] : x[i];
            if (scaled != null) scaled[i] = factor * difference;
            sum += (double)difference * difference;
        }

        return sum;
    }
}
