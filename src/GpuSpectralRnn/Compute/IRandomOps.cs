namespace GpuSpectralRnn.Compute;

/// <summary>
/// Random numbers by Philox4x32-10 (Salmon et al., SC 2011): element i depends on the seed, the stream and i alone, so every backend and every launch shape gives the
/// same uniform bits. Normal numbers go through log and cos and agree to a few units in the last place.
/// </summary>
public interface IRandomOps
{
    /// <summary>Fills with uniform numbers of [low, high).</summary>
    void Uniform(Tensor destination, ulong seed, ulong stream, float low, float high);

    /// <summary>Fills with normal numbers (Box-Muller).</summary>
    void Normal(Tensor destination, ulong seed, ulong stream, float mean, float deviation);
}
