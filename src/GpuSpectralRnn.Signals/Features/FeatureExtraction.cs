using NWaves.FeatureExtractors;
using NWaves.FeatureExtractors.Base;
using NWaves.FeatureExtractors.Options;
using NWaves.Filters.Fda;
using NWaves.Utils;
using NWaves.Windows;

namespace GpuSpectralRnn.Signals.Features;

/// <summary>
/// Computes the features of recordings: frames under a Hann window, their power spectra, triangular mel bands, logarithms, for MFCC their cosine
/// transform. Not for several threads at a time; <see cref="Copy"/> gives each its own.
/// </summary>
public sealed class FeatureExtraction
{
    private readonly FeatureExtractor extractor;
    private readonly List<float[]> frames = [];

    /// <summary>Prepares window, transform and bands.</summary>
    /// <param name="settings">With a rate.</param>
    /// <exception cref="InvalidCallException">A value is out of range, or a band lies between two bins of the transform.</exception>
    public FeatureExtraction(FeatureSettings settings)
    {
        Settings = settings.Resolve(settings.Rate);
        Settings.Validate();
        Settings.CheckSizes();
        float[][] bands = FilterBanks.Triangular(
            Settings.Transform, Settings.Rate, FilterBanks.MelBands(Settings.Bands, Settings.Rate), mapper: Scale.HerzToMel);
        int empty = Array.FindIndex(bands, band => !band.Any(weight => weight > 0));
        if (empty >= 0)
            throw new InvalidCallException(
                $"`Bands` {Settings.Bands}: band {empty} is narrower than the {(double)Settings.Rate / Settings.Transform:0.#} Hz between points " +
                $"of the transform of {Settings.Transform}; choose fewer bands or a larger `Transform`.");
        extractor = Settings.Kind == FeatureKind.Mfcc
            ? new MfccExtractor(new MfccOptions
            {
                SamplingRate = Settings.Rate,
                FrameSize = Settings.FrameSamples,
                HopSize = Settings.HopSamples,
                FilterBank = bands,
                FilterBankSize = Settings.Bands,
                FeatureCount = Settings.Coefficients,
                DctType = "2N",
                NonLinearity = NonLinearityType.LogE,
                SpectrumType = SpectrumType.Power,
                Window = WindowType.Hann,
                LogFloor = (float)FeatureSettings.Floor,
            })
            : new FilterbankExtractor(new FilterbankOptions
            {
                SamplingRate = Settings.Rate,
                FrameSize = Settings.FrameSamples,
                HopSize = Settings.HopSamples,
                FilterBank = bands,
                FilterBankSize = Settings.Bands,
                NonLinearity = NonLinearityType.LogE,
                SpectrumType = SpectrumType.Power,
                Window = WindowType.Hann,
                LogFloor = (float)FeatureSettings.Floor,
            });
    }

    /// <summary>The settings, all of them resolved.</summary>
    public FeatureSettings Settings { get; }

    /// <summary>One of the same settings, for another thread.</summary>
    public FeatureExtraction Copy() => new(Settings);

    /// <summary>The samples that count: brought to the rate, cut to the longest length.</summary>
    /// <param name="samples">A recording.</param>
    /// <param name="rate">Its samples per second.</param>
    public float[] Prepare(float[] samples, int rate)
    {
        double most = Settings.Seconds * rate;
        float[] cut = Settings.Seconds > 0 && samples.Length > most ? samples[..Math.Max(1, (int)most)] : samples;
        return Audio.Resampler.Resample(cut, rate, Settings.Rate);
    }

    /// <summary>The features [T, F] of prepared samples; less than a frame is followed by silence to make one.</summary>
    public float[] Compute(float[] samples)
    {
        if (samples.Length < Settings.FrameSamples) Array.Resize(ref samples, Settings.FrameSamples);
        int steps = ((samples.Length - Settings.FrameSamples) / Settings.HopSamples) + 1;
        while (frames.Count < steps) frames.Add(new float[Settings.Width]);
        extractor.ComputeFrom(samples, frames);
        float[] features = new float[steps * Settings.Width];
        for (int t = 0; t < steps; t++) frames[t].CopyTo(features, t * Settings.Width);
        return features;
    }
}
