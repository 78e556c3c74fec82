using System.Numerics;
using System.Text.Json.Serialization;

namespace GpuSpectralRnn.Signals.Features;

/// <summary>What a frame of sound is described by.</summary>
public enum FeatureKind
{
    /// <summary>Natural logarithms of the powers in mel bands.</summary>
    LogMel,

    /// <summary>Mel-frequency cepstral coefficients: the first ones of the orthonormal DCT-II of those logarithms.</summary>
    Mfcc,
}

/// <summary>How sound becomes a sequence of feature vectors (docs/data.md, section "speech").</summary>
public sealed record FeatureSettings
{
    /// <summary>Powers below this count as this: somewhat above what the rounding of 16-bit samples makes of silence.</summary>
    public const double Floor = 1e-6;

    /// <summary>What a frame is described by.</summary>
    public FeatureKind Kind { get; init; } = FeatureKind.LogMel;

    /// <summary>Samples per second, to which every recording is brought; 0: those of the first recording.</summary>
    public int Rate { get; init; }

    /// <summary>Length of a frame in milliseconds, under a Hann window.</summary>
    public double Frame { get; init; } = 25;

    /// <summary>Milliseconds from the start of a frame to the start of the next.</summary>
    public double Hop { get; init; } = 10;

    /// <summary>Points of the Fourier transform, a power of two; 0: the smallest that holds a frame.</summary>
    public int Transform { get; init; }

    /// <summary>Triangular bands, evenly spaced in mel (2595 log10(1 + f / 700)) from 0 to half the rate.</summary>
    public int Bands { get; init; } = 40;

    /// <summary>Coefficients of MFCC.</summary>
    public int Coefficients { get; init; } = 13;

    /// <summary>Recordings are cut to this many seconds from their start; 0: not cut.</summary>
    public double Seconds { get; init; }

    /// <summary>Numbers per frame.</summary>
    [JsonIgnore]
    public int Width => Kind == FeatureKind.Mfcc ? Coefficients : Bands;

    /// <summary>Samples of a frame.</summary>
    [JsonIgnore]
    public int FrameSamples => Samples(Frame);

    /// <summary>Samples from frame to frame.</summary>
    [JsonIgnore]
    public int HopSamples => Samples(Hop);

    /// <summary>The settings with the rate and the transform that they leave open.</summary>
    /// <param name="rate">Samples per second, where <see cref="Rate"/> is 0.</param>
    public FeatureSettings Resolve(int rate)
    {
        FeatureSettings resolved = this with { Rate = Rate == 0 ? rate : Rate };
        int smallest = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, resolved.FrameSamples));
        return resolved with { Transform = Transform == 0 ? smallest : Transform };
    }

    /// <summary>Checks what can be checked without a rate.</summary>
    /// <exception cref="InvalidCallException">A value is out of range.</exception>
    public void Validate()
    {
        if (Rate is < 0 or > 768_000) throw new InvalidCallException($"`Rate` {Rate}: choose 1 to 768000 samples a second.");
        CheckTime("`Frame`", Frame, 1000);
        CheckTime("`Hop`", Hop, 1000);
        if (Seconds != 0) CheckTime("`Seconds`", Seconds, 86_400);
        if (Transform != 0 && (Transform is < 2 or > 1 << 16 || !BitOperations.IsPow2(Transform)))
            throw new InvalidCallException($"`Transform` {Transform}: choose a power of two up to 65536.");
        if (Bands is < 1 or > 1024) throw new InvalidCallException($"`Bands` {Bands}: choose 1 to 1024.");
        if (Kind == FeatureKind.Mfcc && (Coefficients < 1 || Coefficients > Bands))
            throw new InvalidCallException($"`Coefficients` {Coefficients}: choose 1 to {Bands}, the number of bands.");
        if (Rate != 0) Resolve(Rate).CheckSizes();
    }

    /// <summary>For example <c>log-mel 40, frames of 25 ms every 10 ms, FFT 256, 8000 Hz</c>.</summary>
    public override string ToString() =>
        (Kind == FeatureKind.Mfcc ? $"mfcc {Coefficients} of {Bands} bands" : $"log-mel {Bands}") +
        $", frames of {Frame} ms every {Hop} ms, FFT {Transform}, {Rate} Hz" +
        (Seconds > 0 ? $", the first {Seconds} s" : "");

    /// <summary>Checks a frame against the transform, of resolved settings.</summary>
    internal void CheckSizes()
    {
        if (FrameSamples < 2) throw new InvalidCallException($"`Frame` {Frame}: {FrameSamples} samples at {Rate} a second; choose a longer frame.");
        if (HopSamples < 1) throw new InvalidCallException($"`Hop` {Hop}: less than a sample at {Rate} a second; choose a longer hop.");
        if (FrameSamples > Transform)
            throw new InvalidCallException(
                $"`Transform` {Transform}: a frame of {Frame} ms has {FrameSamples} samples at {Rate} a second; choose a larger transform.");
    }

    private static void CheckTime(string name, double value, double most)
    {
        if (!(value > 0 && value <= most)) throw new InvalidCallException($"{name} {value}: choose a number above 0, up to {most}.");
    }

    private int Samples(double milliseconds) => (int)Math.Round(Rate * milliseconds / 1000, MidpointRounding.AwayFromZero);
}
