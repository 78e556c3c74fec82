using System.Text.Json.Nodes;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>Times of one case of <c>gsrnn bench</c>, as a line and as JSON.</summary>
/// <param name="Name">The case.</param>
/// <param name="Keys">Names of the times: <c>trainMs</c> and <c>inferMs</c>, or <c>ms</c>.</param>
/// <param name="Milliseconds">A time for each key.</param>
/// <param name="Gflops">Arithmetic in the first of them; 0 where it is not counted.</param>
/// <param name="GigabytesPerSecond">Traffic in the first of them.</param>
/// <param name="Peaks">Peak rates of the device.</param>
internal sealed record CaseTimes(string Name, string[] Keys, double[] Milliseconds, double Gflops, double GigabytesPerSecond, DevicePeaks Peaks)
{
    private static readonly Dictionary<string, string> Labels =
        new() { ["trainMs"] = "training step ", ["inferMs"] = "inference ", ["ms"] = string.Empty };

    /// <summary>Times of other libraries.</summary>
    public IReadOnlyList<OtherTimes> Others { get; init; } = [];

    /// <summary>The plan of a product, where there is a choice.</summary>
    public string? Plan { get; init; }

    /// <summary>Device memory in use, in bytes; null where it is not known.</summary>
    public long? DeviceBytes { get; init; }

    /// <summary>Bytes of the tensors of the case; 0 where they are not counted.</summary>
    public double TensorBytes { get; init; }

    private double Share => Peaks.ShareOf(Gflops, GigabytesPerSecond);

    /// <summary>A line of the table.</summary>
    public string Line()
    {
        IEnumerable<string> times = Keys.Zip(Milliseconds, (key, ms) => $"{Labels[key]}{ms,9:0.000} ms{Beside(key, ms)}");
        string arithmetic = Gflops > 0 ? $"{Gflops,8:0.0} GFLOP/s" : new string(' ', 16);
        return $"{Name,-16} {string.Join("   ", times)}   {arithmetic}   {GigabytesPerSecond,7:0.0} GB/s   " +
            $"{Share * 100,4:0} %{(Plan is null ? string.Empty : $"   {Plan}")}";
    }

    /// <summary>The entry of the JSON object.</summary>
    public JsonObject Json()
    {
        JsonObject json = [];
        for (int i = 0; i < Keys.Length; i++) json[Keys[i]] = Terminal.Number(Milliseconds[i]);
        json["gflops"] = Gflops > 0 ? Terminal.Number(Gflops) : null;
        json["gbs"] = Terminal.Number(GigabytesPerSecond);
        json["share"] = Terminal.Number(Share);
        if (Plan is not null) json["plan"] = Plan;
        if (TensorBytes > 0)
        {
            json["deviceBytes"] = DeviceBytes;
            json["tensorBytes"] = (long)TensorBytes;
        }

        if (Others.Count == 0) return json;
        (string Key, (string Name, double Milliseconds)? Best)[] best = [.. Keys.Select(key => (key, Best(key)))];
        json["against"] = new JsonObject(best.Where(b => b.Best is not null).Select(b => KeyValuePair.Create(b.Key, Terminal.Number(b.Best!.Value.Milliseconds))));
        json["ratio"] = new JsonObject(best.Zip(Milliseconds, (b, ms) => KeyValuePair.Create(b.Key, b.Best is { } other ? Terminal.Number(other.Milliseconds / ms) : null)));
        return json;
    }

    private string Beside(string key, double ms) =>
        Best(key) is var (name, other) ? $" ({(Others.Count == 1 ? "other" : name)} {other:0.000} ms, x {other / ms:0.00})" : string.Empty;

    // The fastest of the others.
    private (string Name, double Milliseconds)? Best(string key)
    {
        (string Name, double Milliseconds)? best = null;
        foreach (OtherTimes other in Others)
        {
            if (other.Find(Name, key) is { } time && !(time >= best?.Milliseconds)) best = (other.Name, time);
        }

        return best;
    }
}
