namespace GpuSpectralRnn.Compute;

/// <summary>
/// Random numbers by Philox4x32-10 (Salmon et al., SC 2011): element i depends on the seed, the stream and i alone, so every backend and every launch
/// shape gives the same uniform bits. Normal numbers go through log and cos and agree to a few units in the last place.
/// </summary>
public interface IRandomOps
{
    /// <summary>Fills with uniform numbers of [low, high).</summary>
    void Uniform(Tensor destination, ulong seed, ulong stream, float low, float high);

    /// <summary>
    /// Dropout (Srivastava et al., JMLR 2014): y[i] = x[i] / (1 - rate) where uniform number i of the stream is <paramref name="rate"/> or more, else
    /// 0. The gradient passes through the same call. y may be x.
    /// </summary>
    /// <param name="x">Any shape.</param>
    /// <param name="rate">Share of zeros, from 0 to below 1.</param>
    /// <param name="seed">Seed of the numbers.</param>
    /// <param name="stream">Stream of the numbers: another for each layer and step.</param>
    /// <param name="y">Of x's count.</param>
    void Dropout(Tensor x, float rate, ulong seed, ulong stream, Tensor y);

    /// <summary>Fills with normal numbers (Box-Muller).</summary>
    void Normal(Tensor destination, ulong seed, ulong stream, float mean, float deviation);
}
