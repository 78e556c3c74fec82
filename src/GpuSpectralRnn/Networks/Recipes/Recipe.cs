using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Networks;

/// <summary>What a network is, as its file says it: a small record from which the graph follows.</summary>
public abstract record Recipe
{
    /// <summary>What the outputs mean.</summary>
    public abstract TaskKind Task { get; init; }

    /// <summary>The graph.</summary>
    /// <exception cref="InvalidCallException">The recipe is not valid.</exception>
    public abstract Graph Build();

    /// <summary>One JSON object.</summary>
    public abstract string ToJson();

    /// <summary>A recipe from what <see cref="ToJson"/> wrote: of a stack, a reader, or another graph, which have other members.</summary>
    /// <exception cref="InvalidCallException">It is no valid JSON, a member is missing, unknown or out of range.</exception>
    public static Recipe FromJson(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (BidafRecipe.IsOne(document.RootElement)) return BidafRecipe.Read(json);
            return GraphRecipe.IsOne(document.RootElement) ? GraphRecipe.Read(json) : Architecture.FromJson(json);
        }
        catch (JsonException e)
        {
            throw new InvalidCallException($"The architecture cannot be read: {JsonFault.Describe(e)}.", e);
        }
    }

    /// <summary>The recipe of the same graph over axes of other sizes.</summary>
    /// <param name="sizes">New sizes by the axes' names; the others stay.</param>
    /// <param name="ranks">New ranks of recurrent matrices by their modules' names, 0 for whole ones; null: all whole.</param>
    /// <param name="apart">Modules that get parameters of their own instead of those they shared.</param>
    /// <exception cref="InvalidCallException">The recipe cannot say this.</exception>
    public abstract Recipe Change(
        IReadOnlyDictionary<string, int> sizes, IReadOnlyDictionary<string, int>? ranks = null, IReadOnlySet<string>? apart = null);

    /// <summary>The axes that keep as many units, group by group, where a budget counts by groups: of a stack the directions of each layer.</summary>
    /// <param name="graph">Of <see cref="Build"/>.</param>
    public abstract IReadOnlyList<IReadOnlyList<string>> GroupUnits(Graph graph);

    /// <summary>The units of an axis of each group: of a stack the hidden units of each layer.</summary>
    /// <param name="graph">Of <see cref="Build"/>.</param>
    public int[] CountUnits(Graph graph) => [.. GroupUnits(graph).Select(group => graph.Axis(group[0]).Size)];

    /// <summary>Checks that data of <paramref name="layout"/> can be fed to this network, targets included where there are some.</summary>
    /// <param name="layout">What the sequences have in common.</param>
    /// <param name="name">The data's name, for the message.</param>
    /// <exception cref="InvalidCallException">They do not fit.</exception>
    public abstract void CheckFits(SequenceLayout layout, string name);

    /// <summary>A few words for tables, for example <c>irnn 28-128-10</c>.</summary>
    [JsonIgnore]
    public abstract string Title { get; }
}
