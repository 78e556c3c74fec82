using System.Text.Json;
using System.Text.Json.Serialization;

namespace GpuSpectralRnn.Pruning;

/// <summary>What the settings of all methods have in common that prune while a network is trained: how much is left at the end.</summary>
public abstract record TrainedPruningSettings
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The share that is left at the end, above 0 and below 1: of the units of every axis, or of the weights of every matrix.</summary>
    public double? TargetFraction { get; init; }

    /// <summary>The units that are left at the end, for each layer (<see cref="Networks.Recipe.GroupUnits"/>).</summary>
    public IReadOnlyList<int>? Keep { get; init; }

    /// <summary>Whether the run ends at a given size.</summary>
    [JsonIgnore]
    public bool HasTarget => TargetFraction is not null || Keep is not null;

    /// <summary>One JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, GetType(), Json);

    /// <summary>Checks the range of every setting.</summary>
    /// <exception cref="InvalidCallException">One is out of range, or not exactly one size is asked for.</exception>
    public abstract void Validate();

    /// <summary>The settings, if they are valid.</summary>
    /// <exception cref="InvalidCallException">They are not.</exception>
    internal static T Checked<T>(T settings)
        where T : TrainedPruningSettings
    {
        settings.Validate();
        return settings;
    }

    /// <summary>Checks that exactly one of the target and a price is given, and the range of the share.</summary>
    /// <param name="price">A price on what is left, instead of a target.</param>
    /// <param name="need">The message where there is none, or more than one.</param>
    /// <param name="example">A share that suits the method.</param>
    protected void CheckAim(double? price, string need, double example)
    {
        int aims = (price is null ? 0 : 1) + (TargetFraction is null ? 0 : 1) + (Keep is null ? 0 : 1);
        if (aims != 1) throw new InvalidCallException(need);
        if (TargetFraction is { } share && !(share > 0 && share < 1))
            throw new InvalidCallException($"`TargetFraction` {share}: choose a share above 0 and below 1, for example {example}.");
    }
}
