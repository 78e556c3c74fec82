namespace GpuSpectralRnn.Pruning;

/// <summary>Settings of <see cref="IssPruning"/>; <see cref="GroupPenalty"/> is a price instead of a target.</summary>
public sealed record IssSettings : TrainedPruningSettings
{
    /// <summary>lambda, the price of the norm of a unit's weights.</summary>
    public double? GroupPenalty { get; init; }

    /// <summary>
    /// A unit is closed once the norm of its weights is below this share of the mean at the start: optimisers that scale gradients, as Adam does, keep
    /// weights moving by about their rate, so that no norm comes closer to zero by itself.
    /// </summary>
    public double Threshold { get; init; } = 0.05;

    /// <inheritdoc/>
    public override void Validate()
    {
        CheckAim(GroupPenalty, "A group lasso needs one aim: `TargetFraction`, the share of the units to keep, or `GroupPenalty`, the price of a unit's norm.", 0.3);
        if (GroupPenalty is { } factor && !(factor > 0 && double.IsFinite(factor)))
            throw new InvalidCallException($"`GroupPenalty` {factor}: choose a number above 0, for example 1.");
        if (!(Threshold >= 0 && Threshold < 1)) throw new InvalidCallException($"The threshold {Threshold}: choose a share of the mean norm from 0 to below 1.");
    }
}
