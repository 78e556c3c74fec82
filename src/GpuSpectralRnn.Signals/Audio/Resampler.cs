namespace GpuSpectralRnn.Signals.Audio;

/// <summary>
/// Changes the rate of a signal by band-limited interpolation: a sinc whose cutoff lies below half of the lower rate, under a Kaiser window (Smith,
/// Gossett, "A flexible sampling-rate conversion method", ICASSP 1984). What the lower rate cannot hold is 80 dB down or more.
/// </summary>
public static class Resampler
{
    /// <summary>Zero crossings of the sinc to each side.</summary>
    private const int Crossings = 64;

    /// <summary>Cutoff as a share of half the lower rate, in the middle of a transition from 0.91 to 0.99 of it.</summary>
    private const double Cutoff = 0.95;

    /// <summary>Shape of the window: side lobes below -90 dB.</summary>
    private const double Beta = 9;

    /// <summary>Table entries between two crossings; between them the kernel is interpolated linearly, with an error below 1e-6.</summary>
    private const int Density = 1024;

    private static readonly double[] Kernel = CreateKernel();

    /// <summary>The signal at another rate: sample n stands where it stood, at n / <paramref name="to"/> seconds.</summary>
    /// <param name="samples">The signal.</param>
    /// <param name="from">Its samples per second.</param>
    /// <param name="to">Samples per second of the result.</param>
    public static float[] Resample(float[] samples, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, 1);
        if (from == to) return samples;
        double scale = Math.Min(1, (double)to / from) * Cutoff; // crossings per sample of the input
        int reach = (int)Math.Ceiling(Crossings / scale);
        float[] result = new float[((long)samples.Length * to + from - 1) / from];
        for (long n = 0; n < result.Length; n++)
        {
            (long whole, long part) = Math.DivRem(n * from, to);
            double place = (double)part / to; // of output n, beyond input sample `whole`
            long first = Math.Max(0, whole - reach), last = Math.Min(samples.Length - 1, whole + reach + 1);
            double sum = 0;
            for (long i = first; i <= last; i++) sum += samples[i] * At(Math.Abs(i - whole - place) * scale);
            result[n] = (float)(sum * scale);
        }

        return result;
    }

    private static double At(double crossings)
    {
        double at = crossings * Density;
        int i = (int)at;
        return i + 1 >= Kernel.Length ? 0 : Kernel[i] + ((at - i) * (Kernel[i + 1] - Kernel[i]));
    }

    private static double[] CreateKernel()
    {
        double[] kernel = new double[(Crossings * Density) + 1];
        double whole = Bessel(Beta);
        for (int i = 0; i < kernel.Length; i++)
        {
            double x = (double)i / Density, share = x / Crossings;
            double sinc = i == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
            kernel[i] = sinc * Bessel(Beta * Math.Sqrt(Math.Max(0, 1 - (share * share)))) / whole;
        }

        return kernel;
    }

    /// <summary>The modified Bessel function of the first kind and order zero, by its power series.</summary>
    private static double Bessel(double x)
    {
        double sum = 1, term = 1;
        for (int k = 1; term > 1e-17 * sum; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }

        return sum;
    }
}
