using System.Text.Json;
using System.Text.Json.Serialization;

namespace GpuSpectralRnn.Pruning;

/// <summary>Settings of <see cref="IssPruning"/>; one of <see cref="GroupPenalty"/>, <see cref="TargetFraction"/> and <see cref="Keep"/>.</summary>
public sealed record IssSettings
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>lambda, the price of the norm of a unit's weights.</summary>
    public double? GroupPenalty { get; init; }

    /// <summary>The share of the units of every axis that is left at the end, above 0 and below 1; lambda then follows.</summary>
    public double? TargetFraction { get; init; }

    /// <summary>The units that are left at the end, for each layer (<see cref="Networks.Recipe.GroupUnits"/>).</summary>
    public IReadOnlyList<int>? Keep { get; init; }

    /// <summary>
    /// A unit is closed once the norm of its weights is below this share of the mean at the start: optimisers that scale gradients, as Adam does, keep
    /// weights moving by about their rate, so that no norm comes closer to zero by itself.
    /// </summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>Whether the run ends at a given number of units.</summary>
    [JsonIgnore]
    public bool HasTarget => GroupPenalty is null;

    /// <summary>One JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Checks the range of every setting.</summary>
    /// <exception cref="InvalidCallException">One is out of range, or not exactly one size is asked for.</exception>
    public void Validate()
    {
        int rules = (GroupPenalty is null ? 0 : 1) + (TargetFraction is null ? 0 : 1) + (Keep is null ? 0 : 1);
        if (rules != 1)
            throw new InvalidCallException("A group lasso needs one aim: `TargetFraction`, the share of the units to keep, or `GroupPenalty`, the price of a unit's norm.");
        if (TargetFraction is { } share && !(share > 0 && share < 1))
            throw new InvalidCallException($"`TargetFraction` {share}: choose a share of the units above 0 and below 1, for example 0.3.");
        if (GroupPenalty is { } factor && !(factor > 0 && double.IsFinite(factor)))
            throw new InvalidCallException($"`GroupPenalty` {factor}: choose a number above 0, for example 1.");
        if (!(Threshold >= 0 && Threshold < 1)) throw new InvalidCallException($"The threshold {Threshold}: choose a share of the mean norm from 0 to below 1.");
    }
}
