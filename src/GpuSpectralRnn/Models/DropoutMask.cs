namespace GpuSpectralRnn.Models;

/// <summary>
/// Dropout between the layers of a network in one training step (Zaremba, Sutskever, Vinyals 2014: never on the recurrent way). The mask follows from
/// these numbers alone, so that a resumed run draws the same.
/// </summary>
/// <param name="Rate">Share of zeros, from 0 (none) to below 1.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The training step.</param>
public readonly record struct DropoutMask(float Rate, ulong Seed, long Step)
{
    /// <summary>The stream of random numbers for what layer <paramref name="layer"/> hands on; far from those of initial weights and shuffling.</summary>
    internal ulong Stream(int layer) => (1UL << 63) | ((ulong)Step << 12) | (uint)layer;
}
