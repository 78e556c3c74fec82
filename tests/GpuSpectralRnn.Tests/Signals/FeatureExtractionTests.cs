using GpuSpectralRnn.Signals.Features;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Signals;

/// <summary>Features against their definition in double precision: a Fourier transform by its sum, triangles in mel, logarithms, cosines.</summary>
public class FeatureExtractionTests
{
    public static TheoryData<FeatureSettings> Settings => new()
    {
        new FeatureSettings { Rate = 8000, Transform = 256 },
        new FeatureSettings { Rate = 16_000, Bands = 64, Transform = 1024 },
        new FeatureSettings { Rate = 8000, Frame = 32, Hop = 7.5, Bands = 20 },
        new FeatureSettings { Rate = 11_025, Frame = 20, Bands = 23, Transform = 512 },
        new FeatureSettings { Rate = 8000, Kind = FeatureKind.Mfcc },
        new FeatureSettings { Rate = 16_000, Kind = FeatureKind.Mfcc, Bands = 26, Coefficients = 26 },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Features_are_what_they_are_defined_as(FeatureSettings settings)
    {
        float[] samples = SoundFiles.Word(1, 0, 3, settings.Rate);
        for (int i = 0; i < samples.Length; i++) samples[i] += (float)(0.01 * Math.Sin(i * i * 0.37)); // some power in every band

        FeatureExtraction extraction = new(settings);
        float[] features = extraction.Compute(samples);

        double[] expected = Reference(samples, extraction.Settings);
        Assert.Equal(expected.Length, features.Length);
        Assert.True(features.Length > 5 * settings.Width);
        // A transform in single precision errs by 1e-6 of its largest bin, which is up to a thousand times a quiet band.
        for (int i = 0; i < features.Length; i++) Assert.Equal(expected[i], features[i], 2e-3);
        Assert.True(features.Zip(expected).Average(pair => Math.Abs(pair.First - pair.Second)) < 1e-4);
    }

    [Fact]
    public void Less_than_a_frame_makes_one_and_silence_is_the_floor()
    {
        FeatureExtraction extraction = new(new FeatureSettings { Rate = 8000 });

        Assert.Equal(40, extraction.Compute(new float[1]).Length);
        Assert.All(extraction.Compute(new float[1000]), value => Assert.Equal(Math.Log(FeatureSettings.Floor), value, 1e-5));
    }

    [Fact]
    public void Frames_do_not_remember_the_recording_before()
    {
        FeatureExtraction extraction = new(new FeatureSettings { Rate = 8000 });
        float[] word = SoundFiles.Word(0, 0, 0);
        float[] alone = extraction.Compute(word);

        extraction.Compute(SoundFiles.Word(1, 1, 1));

        Assert.Equal(alone, extraction.Compute(word));
        Assert.Equal(alone, extraction.Copy().Compute(word));
    }

    [Theory]
    [InlineData("Rate", -1)]
    [InlineData("Frame", 0)]
    [InlineData("Frame", double.NaN)]
    [InlineData("Hop", -5)]
    [InlineData("Transform", 200)]
    [InlineData("Transform", 128)]
    [InlineData("Bands", 0)]
    [InlineData("Bands", 100)]
    [InlineData("Coefficients", 41)]
    [InlineData("Seconds", -1)]
    public void Settings_out_of_range_are_refused_by_name(string name, double value)
    {
        FeatureSettings sound = new() { Rate = 8000, Kind = FeatureKind.Mfcc };
        FeatureSettings settings = name switch
        {
            "Rate" => sound with { Rate = (int)value },
            "Frame" => sound with { Frame = value },
            "Hop" => sound with { Hop = value },
            "Transform" => sound with { Transform = (int)value },
            "Bands" => sound with { Bands = (int)value },
            "Coefficients" => sound with { Coefficients = (int)value },
            _ => sound with { Seconds = value },
        };

        Assert.Contains($"`{name}`", Assert.Throws<InvalidCallException>(() => new FeatureExtraction(settings)).Message);
    }

    private static double[] Reference(float[] samples, FeatureSettings settings)
    {
        int frame = settings.FrameSamples, hop = settings.HopSamples, n = settings.Transform;
        List<double> features = [];
        for (int start = 0; start + frame <= samples.Length; start += hop)
        {
            double[] power = new double[(n / 2) + 1];
            for (int k = 0; k < power.Length; k++)
            {
                double real = 0, imaginary = 0;
                for (int i = 0; i < frame; i++)
                {
                    double windowed = samples[start + i] * 0.5 * (1 - Math.Cos(2 * Math.PI * i / (frame - 1)));
                    real += windowed * Math.Cos(2 * Math.PI * k * i / n);
                    imaginary -= windowed * Math.Sin(2 * Math.PI * k * i / n);
                }

                power[k] = (real * real) + (imaginary * imaginary);
            }

            double[] bands = [.. Enumerable.Range(0, settings.Bands)
                .Select(band => Math.Log(Math.Max(FeatureSettings.Floor, Band(power, band, settings))))];
            features.AddRange(settings.Kind == FeatureKind.LogMel ? bands : Enumerable.Range(0, settings.Coefficients).Select(c => Cosine(bands, c)));
        }

        return [.. features];
    }

    private static double Band(double[] power, int band, FeatureSettings settings)
    {
        double top = Mel(settings.Rate / 2.0), width = top / (settings.Bands + 1), left = band * width, sum = 0;
        for (int k = 0; k < power.Length; k++)
        {
            double place = (Mel((double)k * settings.Rate / settings.Transform) - left) / width;
            sum += power[k] * Math.Max(0, place <= 1 ? place : 2 - place);
        }

        return sum;
    }

    private static double Mel(double frequency) => 2595 * Math.Log10(1 + (frequency / 700));

    private static double Cosine(double[] values, int c)
    {
        double sum = 0;
        for (int i = 0; i < values.Length; i++) sum += values[i] * Math.Cos(Math.PI * c * (i + 0.5) / values.Length);
        return sum * Math.Sqrt((c == 0 ? 1.0 : 2.0) / values.Length);
    }
}
