using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>Checks numbers of units to keep.</summary>
internal static class KeepCounts
{
    /// <summary>k of every recurrence (<see cref="Architecture.Recurrences"/>): both directions of a layer keep as many units.</summary>
    /// <param name="architecture">Of the network to compress.</param>
    /// <param name="keep">k of every layer.</param>
    /// <exception cref="InvalidCallException">It cannot be kept (<see cref="Check"/>).</exception>
    public static IEnumerable<int> OfRecurrences(Architecture architecture, IReadOnlyList<int> keep)
    {
        Check(architecture, keep);
        return keep.SelectMany(k => Enumerable.Repeat(k, architecture.Directions));
    }

    /// <summary>Refuses numbers of an embedding's columns.</summary>
    /// <exception cref="InvalidCallException">It has not so many columns, or there is no embedding.</exception>
    public static void CheckEmbedding(Architecture architecture, int columns)
    {
        if (!architecture.HasEmbedding)
            throw new InvalidCallException($"`KeepEmbedding` {columns}: the model has no embedding; its inputs are the user's and stay as they are.");
        if (columns < 1 || columns > architecture.Inputs)
            throw new InvalidCallException($"`KeepEmbedding` {columns} is impossible for an embedding of {architecture.Inputs}; give 1 to {architecture.Inputs}.");
    }

    /// <summary>Refuses what cannot be kept.</summary>
    public static void Check(Architecture architecture, IReadOnlyList<int> keep)
    {
        if (keep.Count != architecture.Layers)
            throw new InvalidCallException(
                $"`keep` gives {keep.Count} numbers for {architecture.Layers} layers; give one number, or one for each layer.");
        for (int layer = 0; layer < keep.Count; layer++)
        {
            int units = architecture.Hidden[layer];
            if (keep[layer] < 1 || keep[layer] > units)
                throw new InvalidCallException($"`keep` {keep[layer]} is impossible for layer {layer} of {units} units; give 1 to {units}.");
        }

        if (architecture.RecurrentRank?.Any(rank => rank > 0) == true)
            throw new InvalidCallException("The model's recurrent matrix is kept as two factors; compress the model it was made from.");
    }
}
