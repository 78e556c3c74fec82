namespace GpuSpectralRnn.Pruning;

/// <summary>What makes a layer's mask final before the aim is reached.</summary>
public enum ExpansionStop
{
    /// <summary>Nothing: plain iterative magnitude pruning.</summary>
    None,

    /// <summary>The relative form of delta_R would fall below the limit.</summary>
    Ramanujan,

    /// <summary>The relative spectral gap, (sigma_1 - sigma_2) / sigma_1, would fall below the limit.</summary>
    Gap,
}

/// <summary>Settings of <see cref="ExpanderPruning"/>.</summary>
public sealed record ExpanderSettings : MaskSettings
{
    /// <summary>The usual share that a round takes away.</summary>
    public const double UsualStepFraction = 0.2;

    /// <summary>p: the share of the weights left that one round takes away from every layer, above 0 and below 1.</summary>
    public double StepFraction { get; init; } = UsualStepFraction;

    /// <summary>What undoes a layer's step and freezes its mask.</summary>
    public ExpansionStop Stop { get; init; } = ExpansionStop.Ramanujan;

    /// <summary>The least that is allowed of what <see cref="Stop"/> looks at; null: 0 of delta_R. A gap needs one.</summary>
    public double? ExpansionLimit { get; init; }

    /// <summary>
    /// The epoch to whose end the weights that are left go back after every round (0: to the first weights); null: they are trained further as they
    /// are. The optimiser's moments stay.
    /// </summary>
    public int? RewindEpoch { get; init; }

    /// <summary>Where in the run the first round is.</summary>
    public double Start { get; init; } = 0.2;

    /// <summary>Where the last round is.</summary>
    public double End { get; init; } = 0.7;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (!(StepFraction > 0 && StepFraction < 1))
            throw new InvalidCallException($"`StepFraction` {StepFraction}: choose a share above 0 and below 1, for example 0.2.");
        if (!Enum.IsDefined(Stop)) throw new InvalidCallException($"A stop by {Stop}: there is none.");
        if (ExpansionLimit is { } limit && !(double.IsFinite(limit) && limit < 1))
            throw new InvalidCallException($"`ExpansionLimit` {limit}: choose a number below 1, for example 0.");
        if (ExpansionLimit is null && Stop == ExpansionStop.Gap)
            throw new InvalidCallException("A stop by the gap needs an `ExpansionLimit`, the least (sigma_1 - sigma_2) / sigma_1, for example 0.5.");
        if (ExpansionLimit is not null && Stop == ExpansionStop.None)
            throw new InvalidCallException("Without a stop there is no `ExpansionLimit`; leave it out.");
        if (RewindEpoch < 0) throw new InvalidCallException($"`RewindEpoch` {RewindEpoch}: choose an epoch, or 0 for the first weights.");
        if (!(Start >= 0 && Start <= End && End <= 1))
            throw new InvalidCallException($"Rounds lie from {Start} to {End} of the run; choose two rising shares, for example 0.2 and 0.7.");
    }
}
