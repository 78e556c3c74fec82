using System.Text.Json.Serialization;
using GpuSpectralRnn.Graphs;

namespace GpuSpectralRnn.Pruning;

/// <summary>Which matrices have masks.</summary>
public enum MaskedWeights
{
    /// <summary>W_hh of every recurrence.</summary>
    Hidden,

    /// <summary>W_ih and W_hh of every recurrence.</summary>
    Recurrent,

    /// <summary>These and the weights of linear modules.</summary>
    All,
}

/// <summary>
/// What the settings of all methods have in common that keep the size and mask weights, layer by layer: each gate's part of a matrix is a layer. With
/// <see cref="TrainedPruningSettings.Keep"/>, k^2 weights of each gate of W_hh are left, as of the other masks, and no other matrix is touched.
/// </summary>
public abstract record MaskSettings : TrainedPruningSettings
{
    /// <summary>
    /// The share of the weights of every layer that is left, above 0 and below 1: <see cref="TrainedPruningSettings.TargetFraction"/>.
    /// </summary>
    [JsonIgnore]
    public double? Density
    {
        get => TargetFraction;
        init => TargetFraction = value;
    }

    /// <summary>Which matrices.</summary>
    public MaskedWeights Weights { get; init; } = MaskedWeights.All;

    /// <summary>The blocks that are kept or dropped whole; single weights by default.</summary>
    public BlockExtent Block { get; init; } = BlockExtent.Single;

    /// <inheritdoc/>
    public override void Validate()
    {
        if (TargetFraction is null == Keep is null)
            throw new InvalidCallException("A mask needs one aim: `Density`, the share of the weights to keep, or `keep`.");
        if (TargetFraction is { } share && !(share > 0 && share < 1))
            throw new InvalidCallException($"`Density` {share}: choose a share above 0 and below 1, for example 0.1.");
        if (!Enum.IsDefined(Weights)) throw new InvalidCallException($"Masks on {Weights}: there are no such weights.");
        if (Block.Rows < 1 || Block.Columns < 1) throw new InvalidCallException($"`block` {Block}: choose 1 or more on each side.");
    }
}
