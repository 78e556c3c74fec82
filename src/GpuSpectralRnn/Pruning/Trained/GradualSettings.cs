using System.Text.Json;
using System.Text.Json.Serialization;

namespace GpuSpectralRnn.Pruning;

/// <summary>Settings of <see cref="GradualPruning"/>; one of <see cref="TargetFraction"/> and <see cref="Keep"/>.</summary>
public sealed record GradualSettings
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The share of the weights of every matrix of recurrences and linear modules that is left, above 0 and below 1.</summary>
    public double? TargetFraction { get; init; }

    /// <summary>
    /// k for each layer (<see cref="Networks.Recipe.GroupUnits"/>): k^2 weights of each gate of its recurrent matrix are left, as of the other masks; no other
    /// matrix is touched.
    /// </summary>
    public IReadOnlyList<int>? Keep { get; init; }

    /// <summary>Where in the run the threshold leaves zero.</summary>
    public double Start { get; init; }

    /// <summary>Where it begins to grow half as fast again.</summary>
    public double Ramp { get; init; } = 0.25;

    /// <summary>Where it ends.</summary>
    public double End { get; init; } = 0.5;

    /// <summary>One JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Checks the range of every setting.</summary>
    /// <exception cref="InvalidCallException">One is out of range, or not exactly one size is asked for.</exception>
    public void Validate()
    {
        if (TargetFraction is null == Keep is null)
            throw new InvalidCallException("Gradual pruning needs one aim: `TargetFraction`, the share of the weights to keep.");
        if (TargetFraction is { } share && !(share > 0 && share < 1))
            throw new InvalidCallException($"`TargetFraction` {share}: choose a share of the weights above 0 and below 1, for example 0.1.");
        if (!(Start >= 0 && Start < Ramp && Ramp < End && End <= 1))
            throw new InvalidCallException($"The threshold grows from {Start} over {Ramp} to {End} of the run; choose three rising shares, for example 0, 0.25 and 0.5.");
    }
}
