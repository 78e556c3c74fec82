namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Settings of <see cref="GradualPruning"/>. One of <see cref="TrainedPruningSettings.TargetFraction"/>, of every matrix of recurrences and linear modules, and
/// <see cref="TrainedPruningSettings.Keep"/>: k^2 weights of each gate of a layer's recurrent matrix are left, as of the other masks; no other matrix is touched.
/// </summary>
public sealed record GradualSettings : TrainedPruningSettings
{
    /// <summary>Where in the run the threshold leaves zero.</summary>
    public double Start { get; init; }

    /// <summary>Where it begins to grow half as fast again.</summary>
    public double Ramp { get; init; } = 0.25;

    /// <summary>Where it ends.</summary>
    public double End { get; init; } = 0.5;

    /// <inheritdoc/>
    public override void Validate()
    {
        CheckAim(price: null, "Gradual pruning needs one aim: `TargetFraction`, the share of the weights to keep, or `keep`.", 0.1);
        if (!(Start >= 0 && Start < Ramp && Ramp < End && End <= 1))
            throw new InvalidCallException($"The threshold grows from {Start} over {Ramp} to {End} of the run; choose three rising shares, for example 0, 0.25 and 0.5.");
    }
}
