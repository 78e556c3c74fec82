using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Signals.Audio;

/// <summary>
/// Adds noise at a ratio of mean powers over the whole recording. The noise of a recording depends on the seed and its name alone, so that it is the
/// same whatever else is in the set.
/// </summary>
public sealed class NoiseMixer
{
    private readonly NoiseSettings settings;
    private readonly IReadOnlyList<float[]> backgrounds;

    /// <summary>Prepares the noise.</summary>
    /// <param name="settings">How much of which noise.</param>
    /// <param name="backgrounds">Recordings of noise at the rate of the signals; for <see cref="NoiseKind.Background"/>.</param>
    /// <exception cref="InvalidCallException">Background noise is asked for and there is none.</exception>
    public NoiseMixer(NoiseSettings settings, IReadOnlyList<float[]> backgrounds)
    {
        if (settings.Kind == NoiseKind.Background && backgrounds.Count == 0)
            throw new InvalidCallException("The set has no recordings of background noise (folder _background_noise_); choose white noise.");
        (this.settings, this.backgrounds) = (settings, backgrounds);
    }

    /// <summary>The recording with noise.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="samples">Its samples; not changed.</param>
    /// <exception cref="InvalidCallException">It is silent, so that no noise has that ratio to it; or its noise is.</exception>
    public float[] Add(string name, float[] samples)
    {
        double power = Power(samples);
        if (power == 0)
            throw new InvalidCallException(
                $"{ForeignText.Show(name)} is silent: no noise is {settings.Snr} dB below silence. Take the recording out, or leave `Snr` out.");
        ulong stream = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        float[] noise = settings.Kind == NoiseKind.White ? White(samples.Length, stream) : Background(samples.Length, stream);
        double noisePower = Power(noise);
        if (noisePower == 0)
            throw new InvalidCallException($"The background noise for {ForeignText.Show(name)} is silent; take silent recordings of noise out.");
        float factor = (float)Math.Sqrt(power / noisePower / Math.Pow(10, settings.Snr / 10));
        for (int i = 0; i < noise.Length; i++) noise[i] = samples[i] + (factor * noise[i]);
        return noise;
    }

    private static double Power(float[] samples)
    {
        double sum = 0;
        foreach (float sample in samples) sum += (double)sample * sample;
        return sum / samples.Length;
    }

    // Box and Muller, two numbers of two words.
    private float[] White(int count, ulong stream)
    {
        float[] noise = new float[count];
        for (int i = 0; i < count; i += 4)
        {
            Philox.Block block = Philox.Generate(settings.Seed, stream, (ulong)i / 4);
            Pair(block.X, block.Y, noise.AsSpan(i));
            if (i + 2 < count) Pair(block.Z, block.W, noise.AsSpan(i + 2));
        }

        return noise;
    }

    private static void Pair(uint first, uint second, Span<float> pair)
    {
        double radius = Math.Sqrt(-2 * Math.Log((first + 1.0) / 4_294_967_296.0)), angle = 2 * Math.PI * second / 4_294_967_296.0;
        pair[0] = (float)(radius * Math.Cos(angle));
        if (pair.Length > 1) pair[1] = (float)(radius * Math.Sin(angle));
    }

    // A stretch of one of the recordings, from its start again where it ends.
    private float[] Background(int count, ulong stream)
    {
        float[] source = backgrounds[(int)(Philox.Word(settings.Seed, stream, 0) % (uint)backgrounds.Count)];
        int start = (int)(Philox.Word(settings.Seed, stream, 1) % (uint)source.Length);
        float[] noise = new float[count];
        for (int i = 0; i < count; i++) noise[i] = source[(int)(((long)start + i) % source.Length)];
        return noise;
    }
}
