using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Networks;

/// <summary>A graph written out: fields, axes, modules and outputs. For networks that no smaller record describes.</summary>
public sealed record GraphRecipe : Recipe
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        RespectNullableAnnotations = true,
        AllowOutOfOrderMetadataProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { WriteRequired } },
    };

    /// <summary>What the network is fed with.</summary>
    public required IReadOnlyList<Field> Fields { get; init; }

    /// <summary>Sizes of all unit axes by their names.</summary>
    public required IReadOnlyDictionary<string, int> Axes { get; init; }

    /// <summary>The modules, each after those whose values it reads.</summary>
    public required IReadOnlyList<Module> Modules { get; init; }

    /// <summary>The values that the network gives.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <inheritdoc/>
    public override TaskKind Task { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<IReadOnlyList<string>> GroupUnits(Graph graph)
    {
        List<IReadOnlyList<string>> groups = [];
        foreach (PrunableAxis axis in graph.PrunableAxes)
        {
            if (!groups.Any(group => group.Contains(axis.Name))) groups.Add([axis.Name, .. axis.TiedTo]);
        }

        return groups;
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Title => $"graph of {Modules.Count} modules";

    /// <summary>Whether a JSON value is such a recipe, perhaps a damaged one: has a member of it that an <see cref="Architecture"/> lacks.</summary>
    internal static bool IsOne(JsonElement json) => json.ValueKind == JsonValueKind.Object
        && (json.TryGetProperty("modules", out _) || json.TryGetProperty("fields", out _) || json.TryGetProperty("axes", out _));

    /// <summary>Reads what <see cref="ToJson"/> wrote, and checks it.</summary>
    /// <exception cref="InvalidCallException">It is no valid JSON, a member is missing, unknown or out of range.</exception>
    internal static GraphRecipe Read(string json)
    {
        GraphRecipe recipe;
        try
        {
            recipe = JsonSerializer.Deserialize<GraphRecipe>(json, Json) ?? throw new InvalidCallException("The graph is null; it must be a JSON object.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new InvalidCallException($"The graph cannot be read: {(e is JsonException fault ? JsonFault.Describe(fault) : "a module has no known type")}.", e);
        }

        _ = recipe.Build();
        return recipe;
    }

    // Members that reading insists on are written whatever they say; others where they are not the default.
    internal static void WriteRequired(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo property in type.Properties.Where(property => property.IsRequired)) property.ShouldSerialize = static (_, _) => true;
    }

    /// <inheritdoc/>
    public override string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <inheritdoc/>
    public override Graph Build()
    {
        // Lists out of files may hold nulls, which their types do not tell.
        if (Fields.Contains(null!) || Modules.Any(module => module is null || module.Inputs.Contains(null!)) || Outputs.Contains(null!))
            throw new InvalidCallException("A field, a module, an input or an output of the graph is null.");
        foreach ((string axis, int size) in Axes)
            if (size > Architecture.LargestExtent) throw new InvalidCallException($"The axis {axis} has {size} units: choose 1 to {Architecture.LargestExtent}.");
        foreach (Field field in Fields.Where(field => field.Vocabulary > Architecture.LargestExtent))
            throw new InvalidCallException($"The field {field.Name} has {field.Vocabulary} tokens: choose 1 to {Architecture.LargestExtent}.");
        Graph graph = new(Fields, Axes.Select(pair => new UnitAxis(pair.Key, pair.Value)), Modules, Outputs);
        return graph.Extent <= int.MaxValue
            ? graph
            : throw new InvalidCallException($"The graph has {graph.Extent} parameters, more than {int.MaxValue}; choose smaller axes.");
    }

    /// <inheritdoc/>
    public override GraphRecipe Change(
        IReadOnlyDictionary<string, int> sizes, IReadOnlyDictionary<string, int>? ranks = null, IReadOnlySet<string>? apart = null) => this with
        {
            Axes = Axes.ToDictionary(pair => pair.Key, pair => sizes.GetValueOrDefault(pair.Key, pair.Value)),
            Modules =
            [
                .. from module in Modules
                   let own = apart?.Contains(module.Name) == true ? module.WithOwnParameters() : module
                   select own is Networks.Modules.Recurrent recurrent ? recurrent with { Rank = ranks?.GetValueOrDefault(module.Name) ?? 0 } : own,
            ],
        };

    /// <inheritdoc/>
    public override void CheckFits(SequenceLayout layout, string name)
    {
        // Where there is one field its name says nothing.
        bool isNamed = layout.Fields.Count == Fields.Count && (Fields.Count == 1 || layout.Fields.Select(f => f.Name).SequenceEqual(Fields.Select(f => f.Name)));
        if (!isNamed)
            throw new InvalidCallException(
                $"{name} has the fields {string.Join(", ", layout.Fields.Select(f => f.Name))} and the network takes {string.Join(", ", Fields.Select(f => f.Name))}.");
        Graph graph = Build();
        foreach ((FieldLayout given, Field field) in layout.Fields.Zip(Fields))
        {
            Value value = graph.Value(field.Name);
            bool fits = value.Kind switch
            {
                ValueKind.Characters => given.Characters > 0 && given.Vocabulary <= value.Vocabulary
                    && given.Steps == layout.Fields[graph.FieldIndex(value)].Steps,
                ValueKind.Tokens => given.Characters == 0 && given.Vocabulary > 0 && given.Vocabulary <= value.Vocabulary,
                _ => given.Vocabulary == 0 && given.Features == value.Width,
            };
            if (fits) continue;
            string holds = given switch
            {
                { Characters: > 0 } => $"{given.Steps} words of {given.Vocabulary} characters",
                { Vocabulary: > 0 } => $"{given.Vocabulary} tokens",
                _ => $"{given.Features} inputs per step",
            };
            throw new InvalidCallException($"{name} holds {holds} where the network takes the {value}.");
        }

        if (layout.IsStream && graph.HasReverse) throw new InvalidCallException($"{name} is one long stream, whose end the network cannot know.");
        if (layout.Targets.Count == 0) return;
        bool isAsked = layout.Targets.Count == graph.Outputs.Count
            && layout.Targets.Zip(graph.Outputs).All(pair => Fits(pair.First, pair.Second, layout, graph));
        if (!isAsked)
            throw new InvalidCallException(
                $"The targets of {name} ({string.Join(", ", layout.Targets.Select(target => $"{target.Kind.Name()} {target.Outputs}"))}) are not what the "
                + $"network gives, {string.Join(", ", graph.Outputs)}.");
    }

    // A step of a field is a label below T.
    private bool Fits(TargetLayout target, Value output, SequenceLayout layout, Graph graph) => output.Kind == ValueKind.Scores
        ? target.Kind == TargetKind.Label && target.Outputs == layout.Fields[graph.FieldIndex(output)].Steps
        : target.Kind == TargetKind.Value
        ? Task == TaskKind.Regression && output.Kind == ValueKind.Vector && target.Outputs == output.Width
        : Task == TaskKind.Classification && target.Outputs <= output.Width
            && (output.Kind == ValueKind.Sequence) == (target.Kind == TargetKind.LabelPerStep);

    /// <inheritdoc/>
    public bool Equals(GraphRecipe? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);
}
