using System.Text;
using System.Text.Json.Nodes;

namespace GpuSpectralRnn.Training;

/// <summary>The members in which two JSON descriptions of a run differ, by name and value, for messages.</summary>
internal static class JsonDifference
{
    private const int LongestValue = 40;

    /// <summary>For example <c>learning rate 0.003, now 0.01; batch size 64, now 32</c>; empty where both are equal.</summary>
    /// <param name="before">A JSON object.</param>
    /// <param name="now">Another.</param>
    public static string Describe(string before, string now) =>
        string.Join("; ", Find((JsonObject)JsonNode.Parse(before)!, (JsonObject)JsonNode.Parse(now)!, ""));

    private static IEnumerable<string> Find(JsonObject before, JsonObject now, string prefix)
    {
        foreach (string key in before.Select(pair => pair.Key).Union(now.Select(pair => pair.Key)))
        {
            (JsonNode? old, JsonNode? current) = (before[key], now[key]);
            if (JsonNode.DeepEquals(old, current)) continue;
            string name = prefix + Words(key);
            if (old is JsonObject o && current is JsonObject c)
            {
                foreach (string inner in Find(o, c, name + "'s ")) yield return inner;
            }
            else if (key == "tokens")
            {
                yield return Tokens(old as JsonArray ?? [], current as JsonArray ?? []);
            }
            else
            {
                yield return $"{name} {Value(old)}, now {Value(current)}";
            }
        }
    }

    private static string Tokens(JsonArray before, JsonArray now)
    {
        int first = before.Zip(now).TakeWhile(pair => JsonNode.DeepEquals(pair.First, pair.Second)).Count();
        return first < Math.Min(before.Count, now.Count)
            ? $"the vocabulary is another: token {first} was {Value(before[first])}, now {Value(now[first])}"
            : $"the vocabulary is another: it had {before.Count} tokens, now {now.Count}";
    }

    private static string Value(JsonNode? node)
    {
        string text = node switch
        {
            null => "none",
            JsonValue value when value.TryGetValue(out string? written) => $"'{written}'",
            _ => node.ToJsonString(),
        };
        return text.Length <= LongestValue ? text : text[..LongestValue] + "...";
    }

    // learningRate -> learning rate
    private static string Words(string name)
    {
        StringBuilder words = new();
        foreach (char letter in name) words.Append(char.IsUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : $"{letter}");
        return words.ToString();
    }
}
