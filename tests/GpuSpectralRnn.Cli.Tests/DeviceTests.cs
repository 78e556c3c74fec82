using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>devices, bench, demo and data list.</summary>
public class DeviceTests
{
    [Fact]
    public void DevicesJsonHasTheContractsKeysAndOneDefault()
    {
        JsonElement json = Gsrnn.Run("devices", "--json").Succeeds().Json;
        Assert.Matches(@"^package \d+\.\d+\.\d+", json.GetProperty("ilgpu").GetString());
        JsonElement[] devices = [.. json.GetProperty("devices").EnumerateArray()];
        Assert.Contains(devices, d => d.GetProperty("id").GetString() == "host");
        Assert.Single(devices, d => d.GetProperty("default").GetBoolean());
        Assert.All(devices, d => Assert.True(d.GetProperty("memoryBytes").GetInt64() > 0 && d.GetProperty("name").GetString()!.Length > 0));
    }

    [Fact]
    public void DevicesTableSaysWhichIlgpu()
    {
        string text = Gsrnn.Run("devices").Succeeds().Out;
        Assert.Contains("host", text);
        Assert.Matches(@"ILGPU: package \d", text);
    }

    // ILGPU compiles kernels even for its simulator; the host has none to compile.
    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void TrainSaysThatItCompilesWhereItDoes(string device)
    {
        using Folder folder = new();
        bool compiles = device != "host";
        string[] train = ["train", "--data", "digits", "--limit", "8", "--batch", "4", "--hidden", "4", "--epochs", "1", "--device", device, "--out", folder["m"]];
        string told = Gsrnn.Run(train).Succeeds().Error;
        if (compiles) Assert.Matches($@"(?m)^compiling kernels for {device} \.\.\. \d+\.\d s\r?$", told);
        else Assert.DoesNotContain("compiling", told);
        Assert.DoesNotContain("compiling", Gsrnn.Run([.. train, "-q"]).Succeeds().Error);
    }

    [Fact]
    public void BenchJsonHasTheContractsKeys()
    {
        using Folder folder = new();
        string peer = folder["peer.json"];
        File.WriteAllText(peer, """{"torch":"x","cases":{"rnn-row":{"train_ms":1.5,"infer_ms":0.5,"parameters":3}}}""");
        string[] bench = ["bench", "--device", "host", "--threads", "1", "--only", "rnn-row", "gemm-512", "--runs", "1", "--against", peer];
        JsonElement json = Gsrnn.Run([.. bench, "--json"]).Succeeds().Json;
        Assert.Equal("host", json.GetProperty("device").GetString());
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("graphs").ValueKind);
        foreach (string key in new[] { "gflops", "gbs" }) Assert.True(json.GetProperty("peak").GetProperty(key).GetDouble() > 0, key);
        JsonElement cases = json.GetProperty("cases");
        Assert.Equal(["rnn-row", "gemm-512"], cases.EnumerateObject().Select(c => c.Name));
        JsonElement layer = cases.GetProperty("rnn-row");
        foreach (string key in new[] { "trainMs", "inferMs", "gflops", "gbs", "share" }) Assert.True(layer.GetProperty(key).GetDouble() > 0, key);
        Assert.Equal(JsonValueKind.Null, layer.GetProperty("deviceBytes").ValueKind);
        Assert.Equal(4 * (4 * 20224 + 28 * 64 * (28 + 128 + 2 * 128)), layer.GetProperty("tensorBytes").GetInt64());
        Assert.Equal(1.5, layer.GetProperty("against").GetProperty("trainMs").GetDouble());
        JsonElement product = cases.GetProperty("gemm-512");
        foreach (string key in new[] { "ms", "gflops", "gbs", "share" }) Assert.True(product.GetProperty(key).GetDouble() > 0, key);
        Assert.Contains("(other 1.500 ms, x ", Gsrnn.Run(bench).Succeeds().Out);
    }

    [Fact]
    public void BenchShowsTheFastestOfSeveralOthers()
    {
        using Folder folder = new();
        File.WriteAllText(folder["a.json"], """{"torch":"slow 1","cases":{"lstm-stream":{"train_ms":1.5,"infer_ms":9000}}}""");
        File.WriteAllText(folder["b.json"], """{"runtime":"quick 2","cases":{"lstm-stream":{"infer_ms":8000}}}""");
        string[] bench = ["bench", "--device", "host", "--threads", "1", "--only", "lstm-stream", "--runs", "1", "--against", folder["a.json"], folder["b.json"]];
        string line = Gsrnn.Run(bench).Succeeds().Out;
        Assert.Matches(@"training step +[\d.]+ ms \(slow 1 1\.500 ms, x [\d.]+\) +inference +[\d.]+ ms \(quick 2 8000\.000 ms, x [\d.]+\)", line);
        JsonElement stream = Gsrnn.Run([.. bench, "--json"]).Succeeds().Json.GetProperty("cases").GetProperty("lstm-stream");
        Assert.Equal(8000, stream.GetProperty("against").GetProperty("inferMs").GetDouble());
        Assert.Equal(8000 / stream.GetProperty("inferMs").GetDouble(), stream.GetProperty("ratio").GetProperty("inferMs").GetDouble(), 1e-9 * 8000 / stream.GetProperty("inferMs").GetDouble());
        Assert.DoesNotContain("x ", Gsrnn.Run(["bench", "--device", "host", "--only", "gemm-1-512-128", "--runs", "1"]).Succeeds().Out);
    }

    [Fact]
    public void DemoTrainsPrunesByEveryMethodAndReports()
    {
        using Folder folder = new();
        string[] demo = ["demo", "--epochs", "4", "--digits", "1000", "--device", "host", "--json", "-q"];
        JsonElement json = Gsrnn.RunIn(folder.Path, demo).Succeeds().Json;
        Assert.Equal("accuracy", json.GetProperty("metric").GetProperty("name").GetString());
        Assert.Equal(Path.Combine("gsrnn-demo", "digits.safetensors"), json.GetProperty("model").GetString());

        // Ten classes by chance give 0.1; 64 steps are enough to be far from it.
        Assert.True(json.GetProperty("metric").GetProperty("value").GetDouble() > 0.2, json.ToString());

        // The file alone says how it wants its data: the same digits give the same result.
        string[] digits = ["--data", "digits", "--limit", "250", "--device", "host", "--json"];
        JsonElement again = Gsrnn.RunIn(folder.Path, ["eval", "gsrnn-demo/digits.safetensors", .. digits]).Succeeds().Json;
        Assert.Equal(json.GetProperty("metric").GetProperty("value").GetDouble(), again.GetProperty("value").GetDouble());

        JsonElement[] rows = [.. json.GetProperty("rows").EnumerateArray()];
        Assert.Equal(1 + MethodSpec.All.Count, rows.Length);
        Assert.Equal(rows.Length + (2 * MethodSpec.All.Count(method => !method.IsRefined && method.Train is null)), json.GetProperty("curve").GetArrayLength());
        JsonElement auto = rows.Single(row => row.GetProperty("method").GetString() == "auto");
        JsonElement small = Gsrnn.RunIn(folder.Path, ["eval", "gsrnn-demo/digits-small.safetensors", .. digits]).Succeeds().Json;
        Assert.Equal(43, small.GetProperty("hidden")[0].GetInt32());
        Assert.Equal(auto.GetProperty("fineTuned").GetDouble(), small.GetProperty("value").GetDouble());
        Assert.True(json.GetProperty("parity").GetDouble() < 1e-4); // fp32 sums of 28 steps in another order
        Assert.Contains("<svg", File.ReadAllText(folder["gsrnn-demo/report.html"]));
    }

    [Fact]
    public void DataListNamesLicenceSizeAndChecksum()
    {
        JsonElement set = Gsrnn.Run("data", "list", "--json").Succeeds().Json.GetProperty("sets")[0];
        Assert.NotEqual("", set.GetProperty("licence").GetString());
        JsonElement file = set.GetProperty("files")[0];
        Assert.True(file.GetProperty("bytes").GetInt64() > 0);
        Assert.Matches("^[0-9a-f]{32}$", file.GetProperty("md5").GetString());
    }
}
