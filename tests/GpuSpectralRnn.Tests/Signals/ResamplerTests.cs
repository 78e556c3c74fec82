using GpuSpectralRnn.Signals.Audio;

namespace GpuSpectralRnn.Tests.Signals;

public class ResamplerTests
{
    /// <summary>Samples at the ends, where the kernel reaches beyond the signal.</summary>
    private const double Edge = 0.02;

    [Theory]
    [InlineData(44_100, 8000, 440)]
    [InlineData(44_100, 8000, 3500)]
    [InlineData(8000, 16_000, 3500)]
    [InlineData(16_000, 8000, 1000)]
    [InlineData(22_050, 16_000, 5000)]
    [InlineData(48_000, 7919, 2000)]
    public void Tones_below_both_limits_stay_as_they_are(int from, int to, double frequency)
    {
        float[] resampled = Resampler.Resample(Tone(from, frequency, from), from, to);

        Assert.Equal(to, resampled.Length, 1.0);
        float[] exact = Tone(to, frequency, resampled.Length);
        int edge = (int)(Edge * to);

        // Passband ripple of -90 dB, and single precision.
        for (int i = edge; i < resampled.Length - edge; i++) Assert.Equal(exact[i], resampled[i], 2e-4);
    }

    // What lies above half the new rate would come back as a tone that is not there.
    [Theory]
    [InlineData(44_100, 8000, 4100)]
    [InlineData(44_100, 8000, 7000)]
    [InlineData(16_000, 8000, 5000)]
    [InlineData(48_000, 16_000, 20_000)]
    public void Tones_above_half_the_new_rate_vanish(int from, int to, double frequency)
    {
        float[] resampled = Resampler.Resample(Tone(from, frequency, from), from, to);

        int edge = (int)(Edge * to);
        double power = resampled[edge..^edge].Average(x => (double)x * x);
        Assert.True(10 * Math.Log10(power / 0.5) < -80, $"{10 * Math.Log10(power / 0.5):0} dB left");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(443)]
    public void The_length_follows_the_rates(int count)
    {
        Assert.Equal((count * 3 + 1) / 2, Resampler.Resample(new float[count], 8000, 12_000).Length);
        Assert.Equal(count, Resampler.Resample(new float[count], 8000, 8000).Length);
        Assert.NotEmpty(Resampler.Resample(new float[count], 768_000, 1));
    }

    private static float[] Tone(int rate, double frequency, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (float)Math.Sin(2 * Math.PI * frequency * i / rate))];
}
