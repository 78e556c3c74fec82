using System.Text.Json;
using System.Text.Json.Nodes;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>
/// Recorded times: of <c>gsrnn bench --json</c>, or of a script for another library that writes
/// <c>{"cases":{"rnn-row":{"train_ms":x,"infer_ms":x}}}</c>.
/// </summary>
internal sealed class OtherTimes
{
    private static readonly Dictionary<string, string> Spellings = new()
    {
        ["trainMs"] = "trainMs", ["train_ms"] = "trainMs", ["inferMs"] = "inferMs", ["infer_ms"] = "inferMs", ["ms"] = "ms",
    };

    private readonly Dictionary<string, Dictionary<string, double>> cases = [];

    private OtherTimes(string name) => Name = name;

    /// <summary>Who was timed, as the file says it, or the file's own name.</summary>
    public string Name { get; }

    /// <summary>Reads a file.</summary>
    public static OtherTimes Read(string path)
    {
        if (!File.Exists(path)) throw new InvalidCallException($"--against {path}: there is no such file.");
        try
        {
            JsonNode? root = JsonNode.Parse(File.ReadAllText(path));
            JsonObject read = root?["cases"]?.AsObject() ?? throw new InvalidOperationException("it has no \"cases\"");
            string? name = root["runtime"]?.GetValue<string>() ?? root["torch"]?.GetValue<string>();
            OtherTimes times = new(name ?? Path.GetFileNameWithoutExtension(path));
            foreach ((string key, JsonNode? values) in read)
            {
                times.cases[key] = values!.AsObject()
                    .Where(value => Spellings.ContainsKey(value.Key))
                    .ToDictionary(value => Spellings[value.Key], value => value.Value!.GetValue<double>());
            }

            return times;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new InvalidCallException($"--against {path}: not the JSON of gsrnn bench or of a script that writes its cases ({e.Message}).");
        }
    }

    /// <summary>The time of a case under a key of <see cref="CaseTimes.Keys"/>, or null.</summary>
    public double? Find(string name, string key) =>
        cases.TryGetValue(name, out Dictionary<string, double>? times) && times.TryGetValue(key, out double time) ? time : null;
}
