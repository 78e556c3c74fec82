using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Training;
using Xunit.Abstractions;

namespace GpuSpectralRnn.Cli.Tests.Crashes;

/// <summary>
/// Processes that are killed at any moment: what they write is the old file or the new one, whole; what they were writing is removed by the next call
/// that writes there; a training run goes on to the bits of one that was left alone.
/// </summary>
public class KillTests(ITestOutputHelper output)
{
    private static readonly byte[] Old = [1, 2, 3];

    [SkippableFact]
    public void Train()
    {
        using Workplace place = new();
        string[] call = ["train", .. place.Inputs.Npy(48), "--cell", "lstm", "--hidden", "256", "--epochs", "15", "--batch", "16", "--holdout", "8", "-q"];
        TimeSpan usual = place.Time([.. call, "--out", place.Inputs["expected"]]);
        byte[] expected = File.ReadAllBytes(place.Inputs["expected"]);
        (string model, string checkpoint, string log) = (place.Outputs["m"], place.Outputs["m.ckpt"], place.Outputs["log"]);
        string[] own = [.. call, "--out", model, "--log", log];
        File.WriteAllBytes(model, Old);
        Kills kills = new(output, place.Outputs.Path, 0.4, files: 19);

        kills.Run(() => Gsrnn.Start(place.Inputs.Path, File.Exists(checkpoint) ? [.. own, "--resume"] : own), usual, isEnd =>
        {
            place.Holds("m", isEnd ? [expected] : [Old, expected]);
            place.HoldsOnly("m", "m.ckpt", "log");
            if (File.Exists(checkpoint)) Assert.InRange(Checkpoint.Load(checkpoint).State.Epoch, 1, 15);
            Assert.All(File.Exists(log) ? File.ReadAllLines(log) : [], line => JsonDocument.Parse(line).Dispose());
            if (!isEnd) return;
            File.Delete(checkpoint);
            File.WriteAllBytes(model, Old);
        });

        Gsrnn.RunIn(place.Inputs.Path, File.Exists(checkpoint) ? [.. own, "--resume"] : own).Succeeds();
        place.Holds("m", expected);
        Assert.Empty(kills.Temporaries());
    }

    [SkippableFact]
    public void Prune()
    {
        using Workplace place = new();
        string[] data = place.Inputs.Npy(40);
        Gsrnn.Run(["train", .. data, "--cell", "gru", "--hidden", "24", "--epochs", "1", "--out", place.Inputs["big"], "-q"]).Succeeds();
        string[] call = ["prune", place.Inputs["big"], .. data, "--keep", "8", "--refine", "5", "-q"];
        Check(place, call, ["small"], 0.2);
    }

    [SkippableFact]
    public void Compress()
    {
        using Workplace place = new();
        const int steps = 6, inputs = 3;
        GraphMaker maker = new GraphMaker().Input("x", steps, 1, inputs).Recurrent("GRU", "cell", "x", inputs, 8)
            .Constant("w", [8, 1]).Node("MatMul", ["cell_y", "w"], ["a"]).Node("Sigmoid", ["a"], ["p"]).Output("p");
        File.WriteAllBytes(place.Inputs["model.onnx"], maker.ToFile());
        float[] x = [.. Enumerable.Range(0, 10 * steps * inputs).Select(i => MathF.Sin(i * 1.3f))];
        string data = place.Inputs.Npy("d.npy", [10, steps, 1, inputs], x);
        Check(place, ["compress", place.Inputs["model.onnx"], "--data", data, "--keep", "4", "--refine", "5", "-q"], ["small"], 0.15);
    }

    [SkippableFact]
    public void Compare()
    {
        using Workplace place = new();
        string[] call =
        [
            "compare", .. place.Inputs.Npy(60), "--cell", "gru", "--hidden", "16", "--epochs", "2", "--holdout", "12", "--keep", "8", "--methods", "adjoint,random", "-q",
            "--markdown", place.Outputs["md"], "--csv", place.Outputs["csv"], "--report", place.Outputs["html"],
        ];
        TimeSpan usual = place.Time(call);
        string[] names = ["md", "csv", "html"];
        int lines = File.ReadAllLines(place.Outputs["csv"]).Length;
        foreach (string name in names) File.WriteAllBytes(place.Outputs[name], Old);
        Kills kills = new(output, place.Outputs.Path, 0.15, files: 6);

        kills.Run(() => Gsrnn.Start(place.Inputs.Path, call), usual, _ =>
        {
            place.HoldsOnly(names);
            foreach (string name in names.Where(name => !File.ReadAllBytes(place.Outputs[name]).SequenceEqual(Old)))
            {
                string text = File.ReadAllText(place.Outputs[name]); // times stand in it, so that no two are the same
                Assert.EndsWith(name == "html" ? "</html>\n" : "\n", text, StringComparison.Ordinal);
                if (name == "csv") Assert.Equal(lines, File.ReadAllLines(place.Outputs[name]).Length);
            }
        });

        Gsrnn.RunIn(place.Inputs.Path, call).Succeeds();
        Assert.Empty(kills.Temporaries());
    }

    [SkippableFact]
    public void DataGet()
    {
        using Workplace place = new();
        byte[] content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        using HttpListener server = new();
        int port = FreePort();
        server.Prefixes.Add($"http://localhost:{port}/");
        server.Start();
        Task serving = Serve(server, content);
        string[] call =
        [
            Path.Combine(AppContext.BaseDirectory, "GpuSpectralRnn.Cli.Tests.dll"), place.Outputs.Path, "f", $"http://localhost:{port}/f", "3000000",
            Convert.ToHexStringLower(MD5.HashData(content)),
        ];
        TimeSpan usual = place.Time(() =>
        {
            File.Delete(place.Outputs["f"]);
            return Workplace.StartProgram(call);
        });
        place.Holds("f", content);
        File.Delete(place.Outputs["f"]);
        Kills kills = new(output, place.Outputs.Path, 0.1, files: 2);

        kills.Run(() => Workplace.StartProgram(call), usual, _ =>
        {
            place.HoldsOnly("f");
            if (!File.Exists(place.Outputs["f"])) return;
            place.Holds("f", content);
            File.Delete(place.Outputs["f"]);
        });

        using (Process last = Workplace.StartProgram(call)) Gsrnn.Finish(last).Succeeds();
        place.Holds("f", content);
        Assert.Empty(kills.Temporaries());
        server.Stop();
        Assert.True(serving.Wait(TimeSpan.FromSeconds(10)));
    }

    // A call that writes files with --out, alike in every run.
    private void Check(Workplace place, string[] call, string[] names, double share)
    {
        TimeSpan usual = place.Time([.. call, "--out", place.Inputs["expected"]]);
        byte[] expected = File.ReadAllBytes(place.Inputs["expected"]);
        File.WriteAllBytes(place.Outputs["small"], Old);
        string[] own = [.. call, "--out", place.Outputs["small"]];
        Kills kills = new(output, place.Outputs.Path, share, files: 2);
        kills.Run(() => Gsrnn.Start(place.Inputs.Path, own), usual, isEnd =>
        {
            place.HoldsOnly(names);
            place.Holds("small", isEnd ? [expected] : [Old, expected]);
            File.WriteAllBytes(place.Outputs["small"], Old);
        });

        Gsrnn.RunIn(place.Inputs.Path, own).Succeeds();
        place.Holds("small", expected);
        Assert.Empty(kills.Temporaries());
    }

    private static int FreePort()
    {
        using System.Net.Sockets.TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // In pieces, so that a download takes a while.
    private static async Task Serve(HttpListener server, byte[] content)
    {
        while (server.IsListening)
        {
            try
            {
                HttpListenerContext context = await server.GetContextAsync();
                context.Response.ContentLength64 = content.Length;
                for (int i = 0; i < content.Length; i += 100_000)
                {
                    await context.Response.OutputStream.WriteAsync(content.AsMemory(i, 100_000));
                    await Task.Delay(2);
                }

                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException or IOException)
            {
                // The process that asked was killed, or the server was stopped.
            }
        }
    }

    /// <summary>A folder for what is read and one for what is written.</summary>
    private sealed class Workplace : IDisposable
    {
        public Folder Inputs { get; } = new();

        public Folder Outputs { get; } = new();

        public Workplace() => Skip.IfNot(OperatingSystem.IsLinux(), "signals are of Linux");

        public TimeSpan Time(string[] call) => Time(() => Gsrnn.Start(Inputs.Path, call));

        // The shorter of two: the first brings the program into the cache.
        public TimeSpan Time(Func<Process> start) => TimeSpan.FromTicks(Enumerable.Range(0, 2).Min(_ =>
        {
            Stopwatch clock = Stopwatch.StartNew();
            using Process process = start();
            Gsrnn.Finish(process).Succeeds();
            return clock.Elapsed.Ticks;
        }));

        public void Holds(string name, params byte[][] any)
        {
            byte[] there = File.ReadAllBytes(Outputs[name]);
            Assert.True(any.Any(content => content.AsSpan().SequenceEqual(there)), $"{name} holds {there.Length} bytes that are neither the old file nor the new one");
        }

        public void HoldsOnly(params string[] names) => Assert.Empty(
            Directory.GetFileSystemEntries(Outputs.Path).Select(Path.GetFileName).Where(name => !name!.StartsWith(".gsrnn-", StringComparison.Ordinal)).Except(names));

        public static Process StartProgram(string[] call) => Process.Start(new ProcessStartInfo("dotnet", call)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

        public void Dispose()
        {
            Inputs.Dispose();
            Outputs.Dispose();
        }
    }
}
