namespace GpuSpectralRnn.Signals.Audio;

/// <summary>What noise is added.</summary>
public enum NoiseKind
{
    /// <summary>White Gaussian noise.</summary>
    White,

    /// <summary>A random stretch of the set's own recordings of background noise.</summary>
    Background,
}

/// <summary>Noise that is added to recordings before their features are computed.</summary>
/// <param name="Snr">Mean power of the recording over that of the noise, in decibels.</param>
/// <param name="Kind">What noise.</param>
/// <param name="Seed">Of the noise; each recording has its own by its name.</param>
public sealed record NoiseSettings(double Snr, NoiseKind Kind = NoiseKind.White, ulong Seed = 1);
