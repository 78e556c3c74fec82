namespace GpuSpectralRnn.Tests.Support;

/// <summary>Reproducible test values.</summary>
public static class Numbers
{
    /// <summary>Standard normal numbers times <paramref name="scale"/>; the same for the same seed.</summary>
    public static float[] Normal(long count, int seed, double scale = 1)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (long i = 0; i < count; i++)
            values[i] = (float)(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    /// <summary>Integers of low..high-1; the same for the same seed.</summary>
    public static int[] Integers(int count, int seed, int low, int high)
    {
        Random random = new(seed);
        int[] values = new int[count];
        for (int i = 0; i < count; i++) values[i] = random.Next(low, high);
        return values;
    }

    /// <summary>The same numbers in double precision.</summary>
    public static double[] ToDoubles(this float[] values) => Array.ConvertAll(values, x => (double)x);
}
