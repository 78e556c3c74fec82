using GpuSpectralRnn.Signals.Audio;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Signals;

public class NoiseMixerTests
{
    private static readonly float[] Word = SoundFiles.Word(0, 0, 0);

    [Theory]
    [InlineData(10, NoiseKind.White)]
    [InlineData(-5, NoiseKind.White)]
    [InlineData(20, NoiseKind.Background)]
    public void The_noise_has_the_asked_power(double snr, NoiseKind kind)
    {
        float[] noisy = Mixer(snr, kind).Add("a", Word);

        double signal = Power(Word), noise = Power([.. noisy.Zip(Word, (x, y) => x - y)]);
        Assert.Equal(snr, 10 * Math.Log10(signal / noise), 1e-3);
    }

    [Fact]
    public void White_noise_is_normal_and_of_its_recording_alone()
    {
        float[] silence = [.. Enumerable.Repeat(1e-3f, 20_000)];
        double[] noise = [.. Mixer(-80).Add("a", silence).Select(x => (double)x)];
        double deviation = Math.Sqrt(noise.Average(x => x * x));

        // Within four standard errors of a normal distribution's mean, kurtosis and correlation of neighbours.
        Assert.InRange(noise.Average() / deviation, -4 / Math.Sqrt(20_000), 4 / Math.Sqrt(20_000));
        Assert.InRange(noise.Average(x => Math.Pow(x / deviation, 4)), 3 - (4 * Math.Sqrt(24.0 / 20_000)), 3 + (4 * Math.Sqrt(24.0 / 20_000)));
        Assert.InRange(noise.Zip(noise.Skip(1), (x, y) => x * y / deviation / deviation).Average(), -4 / Math.Sqrt(20_000), 4 / Math.Sqrt(20_000));

        Assert.Equal(Mixer(3).Add("a", Word), Mixer(3).Add("a", Word));
        Assert.NotEqual(Mixer(3).Add("a", Word), Mixer(3).Add("b", Word));
        Assert.NotEqual(Mixer(3).Add("a", Word), Mixer(3, seed: 2).Add("a", Word));
    }

    [Fact]
    public void Silence_has_no_ratio_to_noise()
    {
        Assert.Contains("a.wav is silent", Assert.Throws<InvalidCallException>(() => Mixer(10).Add("a.wav", new float[100])).Message);
        NoiseSettings background = new(10, NoiseKind.Background);
        NoiseMixer silent = new(background, [new float[50]]);
        Assert.Contains("background noise", Assert.Throws<InvalidCallException>(() => silent.Add("a.wav", Word)).Message);
        Assert.Contains("_background_noise_", Assert.Throws<InvalidCallException>(() => new NoiseMixer(background, [])).Message);
    }

    private static NoiseMixer Mixer(double snr, NoiseKind kind = NoiseKind.White, ulong seed = 1) =>
        new(new NoiseSettings(snr, kind, seed), [SoundFiles.Word(2, 1, 0), SoundFiles.Word(3, 1, 0)]);

    private static double Power(float[] samples) => samples.Average(x => (double)x * x);
}
