namespace GpuSpectralRnn.Networks;

/// <summary>
/// Dropout in one training step (Zaremba, Sutskever, Vinyals 2014: never on the recurrent way): between the layers, and in a network with an
/// embedding also on the embedding's output and before the read-out. The mask follows from these numbers alone, so that a resumed run draws the same.
/// </summary>
/// <param name="Rate">Share of zeros, from 0 (none) to below 1.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The training step.</param>
public readonly record struct DropoutMask(float Rate, ulong Seed, long Step)
{
    /// <summary>
    /// Place of this pass' first sequence in the batch, and the sequences of that batch, where the pass is over a part of it: the numbers are then those
    /// that the part has in a pass over all. 0, 0: the pass is over the whole batch.
    /// </summary>
    public (int First, int Whole) Part { get; init; }

    /// <summary>The place of the embedding's output; above all layers.</summary>
    internal const int Embedding = (1 << 12) - 1;

    /// <summary>
    /// The stream of random numbers for what a layer (0-based), or the embedding, hands on; far from those of initial weights and shuffling.
    /// </summary>
    internal ulong Stream(int place) => (1UL << 63) | ((ulong)Step << 12) | (uint)place;
}
