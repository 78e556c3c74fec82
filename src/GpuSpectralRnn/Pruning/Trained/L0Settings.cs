using System.Text.Json;
using System.Text.Json.Serialization;

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

    /// <summary>Both. Features stay in number, being the caller's; weights that read closed ones become zero.</summary>
    All,
}

/// <summary>Settings of <see cref="L0Pruning"/>; one of <see cref="PenaltyFactor"/>, <see cref="TargetFraction"/> and <see cref="Keep"/>.</summary>
public sealed record L0Settings
{
    /// <summary>A learning rate of log alpha that suits minibatches by the thousand.</summary>
    public const double UsualGateRate = 0.05;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>lambda: what the loss counts for an expected weight of one gate of the cell (docs/method.md, section 14.3).</summary>
    public double? PenaltyFactor { get; init; }

    /// <summary>The share of the units of every gated axis that is left at the end, above 0 and below 1.</summary>
    public double? TargetFraction { get; init; }

    /// <summary>The hidden units that are left at the end, for each layer (<see cref="Networks.Recipe.GroupUnits"/>).</summary>
    public IReadOnlyList<int>? Keep { get; init; }

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

    /// <summary>Whether the run ends at a given number of units.</summary>
    [JsonIgnore]
    public bool HasTarget => PenaltyFactor is null;

    /// <summary>One JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Checks the range of every setting.</summary>
    /// <exception cref="InvalidCallException">One is out of range, or not exactly one size is asked for.</exception>
    public void Validate()
    {
        int rules = (PenaltyFactor is null ? 0 : 1) + (TargetFraction is null ? 0 : 1) + (Keep is null ? 0 : 1);
        if (rules != 1) throw new InvalidCallException("Gates need one aim: `TargetFraction`, the share of the units to keep, or `PenaltyFactor`, the price of a weight.");
        if (TargetFraction is { } share && !(share > 0 && share < 1))
            throw new InvalidCallException($"`TargetFraction` {share}: choose a share of the units above 0 and below 1, for example 0.3.");
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
