using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>Which units have gates.</summary>
public enum GatedUnits
{
    /// <summary>All that slicing can take away: hidden units and an embedding's columns; the features of a field stay.</summary>
    Prunable,

    /// <summary>Hidden units.</summary>
    Hidden,

    /// <summary>Input neurons: an embedding's columns, the features of a field.</summary>
    Inputs,

    /// <summary>The axes that a budget counts (<see cref="Network.CountedAxes"/>): of a stack hidden units, of another graph every group.</summary>
    Counted,

    /// <summary>Both. Features stay in number, being the caller's; weights that read closed ones become zero.</summary>
    All,
}

/// <summary>Settings of <see cref="L0Pruning"/>; <see cref="PenaltyFactor"/> is a price instead of a target.</summary>
public sealed record L0Settings : TrainedPruningSettings
{
    /// <summary>A learning rate of log alpha that suits minibatches by the thousand.</summary>
    public const double UsualGateRate = 0.05;

    /// <summary>lambda: what the loss counts for an expected weight of one gate of the cell (docs/method.md, section 14.3).</summary>
    public double? PenaltyFactor { get; init; }

    /// <summary>Which units have gates.</summary>
    public GatedUnits Gates { get; init; }

    /// <summary>The learning rate of log alpha, by Adam: 50 to 100 times that of the weights, or gates do not move.</summary>
    public double GateRate { get; init; } = UsualGateRate;

    /// <summary>eta: by how much the multiplier moves in a step for each share of the units that is open beyond the target.</summary>
    public double MultiplierRate { get; init; } = 1;

    /// <summary>
    /// c: what the penalty gains at once for each share beyond the target. Without it the multiplier, a sum over all steps so far, swings beyond the
    /// target and closes units that the network then misses (docs/compression-results.md).
    /// </summary>
    public double Damping { get; init; } = 300;

    /// <summary>Mean of the normal numbers of deviation 0.1 in which log alpha begins; 1: gates are open with probability 0.93.</summary>
    public double Start { get; init; } = 1;

    /// <inheritdoc/>
    public override void Validate()
    {
        CheckAim(PenaltyFactor, "Gates need one aim: `TargetFraction`, the share of the units to keep, or `PenaltyFactor`, the price of a weight.", 0.3);
        if (PenaltyFactor is { } factor && !(factor > 0 && double.IsFinite(factor)))
            throw new InvalidCallException($"`PenaltyFactor` {factor}: choose a number above 0, for example 1e-5.");
        if (!Enum.IsDefined(Gates)) throw new InvalidCallException($"Gates on {Gates}: there are no such units.");
        if (!(GateRate > 0 && double.IsFinite(GateRate))) throw new InvalidCallException($"`GateRate` {GateRate}: choose a number above 0, for example 0.05.");
        if (!(MultiplierRate > 0 && double.IsFinite(MultiplierRate)))
            throw new InvalidCallException($"The multiplier's rate {MultiplierRate}: choose a number above 0.");
        if (!(Damping >= 0 && double.IsFinite(Damping))) throw new InvalidCallException($"The multiplier's damping {Damping}: choose 0 or more.");
        if (!double.IsFinite(Start)) throw new InvalidCallException($"Gates begin at {Start}; choose a number.");
    }
}
