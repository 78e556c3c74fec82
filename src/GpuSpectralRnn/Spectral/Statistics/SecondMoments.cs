using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// The uncentred second moments of the units of one prunable axis (the hidden states of a recurrence, or the outputs of an embedding) over a
/// calibration set: S = (1 / sum w) sum w h h^T (docs/method.md, section 1.3), and their mean. Sums and weights of shards are additive, so that
/// shards can be collected separately.
/// </summary>
public sealed class SecondMoments
{
    /// <summary>Second moments of given sums.</summary>
    /// <param name="fingerprint">Identifies the model whose states were summed; shards of another model are refused.</param>
    /// <param name="layer">The layer and direction, for example <c>l0</c> or <c>l0_reverse</c>.</param>
    /// <param name="sums">sum w h h^T [m, m].</param>
    /// <param name="weight">sum w, the number of steps where all weights are 1.</param>
    /// <param name="stateSums">sum w h [m]; null where it was not kept.</param>
    /// <exception cref="ArgumentException">The sums are not square or of different extents, or the weight is negative.</exception>
    /// <exception cref="RunFailedException">The sums or the weight are not finite.</exception>
    public SecondMoments(string fingerprint, string layer, Matrix sums, double weight, double[]? stateSums = null)
    {
        if (sums.Rows != sums.Columns || weight < 0 || (stateSums is not null && stateSums.Length != sums.Rows))
            throw new ArgumentException($"{sums} with weight {weight} is no sum of outer products.", nameof(sums));
        if (!sums.IsFinite() || !double.IsFinite(weight) || stateSums?.All(double.IsFinite) == false)
            throw new RunFailedException($"The hidden states of layer {layer} hold NaN or infinity; the model or the calibration data are broken.");
        (Fingerprint, Layer, Sums, Weight, StateSums) = (fingerprint, layer, sums, weight, stateSums);
    }

    /// <summary>Fingerprint of the model.</summary>
    public string Fingerprint { get; }

    /// <summary>The layer and direction.</summary>
    public string Layer { get; }

    /// <summary>sum w h h^T [m, m].</summary>
    public Matrix Sums { get; private set; }

    /// <summary>sum w.</summary>
    public double Weight { get; private set; }

    /// <summary>sum w h [m]; null where it was not kept.</summary>
    public double[]? StateSums { get; private set; }

    /// <summary>m, the number of units.</summary>
    public int Units => Sums.Rows;

    /// <summary>Adds another shard of the same layer of the same model.</summary>
    /// <exception cref="InvalidCallException">The shard belongs to another model or layer.</exception>
    public void Add(SecondMoments shard)
    {
        if (shard.Fingerprint != Fingerprint)
        {
            throw new InvalidCallException(
                $"A covariance of layer {shard.Layer} belongs to model {shard.Fingerprint}, not to {Fingerprint}; collect it again with this model.");
        }

        if (shard.Layer != Layer || shard.Units != Units)
        {
            throw new InvalidCallException(
                $"A covariance of layer {shard.Layer} ({shard.Units} units) cannot be added to that of layer {Layer} ({Units} units).");
        }

        Sums += shard.Sums;
        StateSums = StateSums is null || shard.StateSums is null ? null : [.. StateSums.Zip(shard.StateSums, (a, b) => a + b)];
        Weight += shard.Weight;
    }

    /// <summary>S = sum w h h^T / sum w.</summary>
    /// <exception cref="InvalidCallException">Nothing was collected.</exception>
    public Matrix Mean() =>
        Weight > 0
            ? 1 / Weight * Sums
            : throw new InvalidCallException($"Layer {Layer} has no calibration steps; give a data set with at least one sequence.");

    /// <summary>The mean state sum w h / sum w [m].</summary>
    /// <exception cref="InvalidCallException">Nothing was collected, or sums without it were added.</exception>
    public double[] MeanState() =>
        StateSums is not null && Weight > 0
            ? Array.ConvertAll(StateSums, sum => sum / Weight)
            : throw new InvalidCallException($"The mean of layer {Layer} is not known; collect its covariance again.");
}
