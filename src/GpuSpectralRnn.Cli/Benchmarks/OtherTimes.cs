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

    /// <summary>Reads a file.</summary>
    public static OtherTimes Read(string path)
    {
        if (!File.Exists(path)) throw new InvalidCallException($"--against {path}: there is no such file.");
        try
        {
            OtherTimes times = new();
            JsonObject read = JsonNode.Parse(File.ReadAllText(path))?["cases"]?.AsObject()
                ?? throw new InvalidOperationException("it has no \"cases\"");
            foreach ((string name, JsonNode? values) in read)
            {
                times.cases[name] = values!.AsObject()
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

    /// <summary>The times of a case, or null.</summary>
    public IReadOnlyDictionary<string, double>? Find(string name) => cases.GetValueOrDefault(name);
}
