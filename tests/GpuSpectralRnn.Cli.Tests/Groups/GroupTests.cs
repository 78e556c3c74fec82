using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Training;
using Xunit.Abstractions;

namespace GpuSpectralRnn.Cli.Tests.Groups;

/// <summary>The program under <c>mpirun</c>: the same results as one process, one voice, and an end for all when one cannot go on.</summary>
public sealed class GroupTests(ITestOutputHelper output) : IDisposable
{
    private const string Verse = "the cat sat on the mat\nthe dog sat on the log\n";

    private readonly Folder folder = new();

    public static TheoryData<string> Launchers => Launch.All;

    public void Dispose() => folder.Dispose();

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void TheModelHasTheSameBytesForEveryNumberOfProcesses(string launcher)
    {
        Launch.Require(launcher);
        string text = folder.Text("train.txt", Verse, times: 20);
        (int[] Sizes, string[] Args)[] cases =
        [
            ([2, 4], ["--data", "digits", "--limit", "300", "--cell", "lstm", "--hidden", "12,8", "--dropout", "0.2"]),
            ([4], ["--data", "text", "--train", text, "--unit", "char", "--hidden", "12", "--batch", "6", "--bptt", "7"]),
            ([2], ["--data", "digits", "--limit", "300", "--hidden", "12", "--method", "l0", "--target-fraction", "0.5"]),
        ];
        foreach ((int[] sizes, string[] args) in cases)
        {
            string[] call = ["train", .. args, "--epochs", "2", "--shards", "4", "-q"];
            Outcome one = Gsrnn.RunIn(folder.Path, [.. call, "--out", "one"]).Succeeds();
            foreach (int size in sizes)
            {
                Outcome several = Launch.Run(launcher, size, folder.Path, [.. call, "--out", "several"]).Succeeds();
                Assert.True(File.ReadAllBytes(folder["one"]).AsSpan().SequenceEqual(File.ReadAllBytes(folder["several"])), $"{string.Join(' ', args)}, {size} processes");
                Assert.Equal(one.Out.Split(" in ")[0], several.Out.Split(" in ")[0]); // what was measured
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void FourProcessesThenTwoThenOneEndAsOneThatWasNeverInterrupted(string launcher)
    {
        Launch.Require(launcher);
        string[] call = ["train", "--data", "digits", "--limit", "300", "--cell", "gru", "--hidden", "12", "--schedule", "constant", "-q"];
        Gsrnn.RunIn(folder.Path, [.. call, "--shards", "4", "--epochs", "3", "--out", "one"]).Succeeds();
        Launch.Run(launcher, 4, folder.Path, [.. call, "--deterministic", "--epochs", "1", "--out", "m"]).Succeeds();
        Launch.Run(launcher, 2, folder.Path, [.. call, "--deterministic", "--epochs", "2", "--resume", "--out", "m"]).Succeeds();
        Gsrnn.RunIn(folder.Path, [.. call, "--deterministic", "--epochs", "3", "--resume", "--out", "m"]).Succeeds();
        Assert.Equal(File.ReadAllBytes(folder["one"]), File.ReadAllBytes(folder["m"]));
        Gsrnn.RunIn(folder.Path, [.. call, "--shards", "2", "--epochs", "3", "--resume", "--out", "m"]).FailsWith(2, "in 4 shards, not in 2", "--shards 4");
    }

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void TheOtherVerbsFindWhatOneProcessFinds(string launcher)
    {
        Launch.Require(launcher);
        string[] digits = ["--data", "digits", "--limit", "400"];
        Gsrnn.RunIn(folder.Path, ["train", .. digits, "--cell", "rnn-tanh", "--hidden", "12", "--epochs", "2", "-q", "--out", "m"]).Succeeds();
        (string[] Args, string[] Paths)[] calls =
        [
            (["spectrum", "m", .. digits], ["layers.0.eigenvalues.0", "layers.0.eigenvalues.11", "layers.0.trace", "recommendation.divergence"]),
            (["prune", "m", .. digits, "--keep", "6", "--refine", "off", "--out", "small"], ["divergence", "kept.0.0", "kept.0.5", "metric.after"]),
            (["bound", "m", .. digits, "--keep", "6"], ["bias", "variance", "approximation.upper"]),
            (["compare", .. digits, "--cell", "irnn", "--hidden", "8", "--epochs", "1", "--seeds", "2", "--keep", "4", "--methods", "scratch,adjoint,random"],
                ["rows.0.value", "rows.0.std", "rows.1.value", "rows.2.value", "rows.3.value", "rows.3.std", "rows.3.hiddenHidden"]),
        ];
        foreach ((string[] args, string[] paths) in calls)
        {
            JsonElement one = Gsrnn.RunIn(folder.Path, [.. args, "--json", "-q"]).Succeeds().Json;
            JsonElement several = Launch.Run(launcher, 3, folder.Path, [.. args, "--json", "-q"]).Succeeds().Json;
            foreach (string path in paths)
            {
                // Sums in double precision, of hidden states and gradients in single precision over other parts of a batch.
                double expected = Find(one, path), found = Find(several, path);
                Assert.True(Math.Abs(expected - found) <= 1e-4 * Math.Abs(expected) + 1e-9, $"{args[0]} {path}: {found} instead of {expected}");
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void OneMemberThatIsAskedToStopStopsAllAfterTheCheckpoint(string launcher)
    {
        string[] call = ["train", "--data", "digits", "--limit", "500", "--hidden", "16", "--schedule", "constant", "--out", "m"];
        using Process process = Launch.Start(launcher, folder.Path, (2, null, [.. call, "--epochs", "100000"]));
        Task<string> error = process.StandardError.ReadToEndAsync();
        while (!File.Exists(folder["m.ckpt"]) && !process.HasExited) Thread.Sleep(10);
        using (Process member = Launch.Member(1, folder.Path)) Gsrnn.Interrupt(member);
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(20)), "still running");
        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains("gsrnn: Stopped after", error.Result);
        Assert.DoesNotContain("rank 1:", error.Result); // it is said once
        TrainingState state = Checkpoint.Load(folder["m.ckpt"]).State;
        Assert.Contains($"at step {state.Step};", error.Result);
        Launch.Run(launcher, 2, folder.Path, [.. call, "--resume", "--epochs", $"{state.Epoch + 1}", "-q"]).Succeeds();
    }

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void AMemberThatIsKilledEndsAllWithinFiveSeconds(string launcher)
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        int kills = int.TryParse(Environment.GetEnvironmentVariable("GSRNN_KILLS"), CultureInfo.InvariantCulture, out int given) ? given / 2 : 4;
        for (int i = 0; i < kills; i++)
        {
            string[] call = ["train", "--data", "digits", "--limit", "300", "--hidden", "16", "--epochs", "100000", "--out", "m"];
            using Process process = Launch.Start(launcher, folder.Path, (2, null, call));
            Task<string> error = process.StandardError.ReadToEndAsync(), text = process.StandardOutput.ReadToEndAsync();
            using (Process member = Launch.Member(random.Next(2), folder.Path))
            {
                process.WaitForExit(TimeSpan.FromSeconds(2 * random.NextDouble()));
                member.Kill();
            }

            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(5)), $"still running, kill {i}");
            Assert.NotEqual(0, process.ExitCode);
            Assert.NotEqual("", (error.Result + text.Result).Trim()); // MPICH's says it on standard output
            if (File.Exists(folder["m.ckpt"])) Checkpoint.Load(folder["m.ckpt"]); // whole
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void MembersThatAreNotAlikeAreRefused(string launcher)
    {
        string[] call = ["train", "--data", "digits", "--limit", "60", "--hidden", "4", "--epochs", "1", "--out", "m"];
        using (Process other = Launch.Start(launcher, folder.Path, (1, null, call), (1, null, [.. call, "--seed", "2"])))
        {
            Outcome outcome = Gsrnn.Finish(other);
            Assert.NotEqual(0, outcome.Code);
            Assert.Contains("another call than member 0", outcome.Error);
        }

        // The same call, in two folders with other numbers.
        string second = Directory.CreateDirectory(folder["second"]).FullName;
        folder.Npy("x.npy", [6, 3, 2], Enumerable.Range(0, 36).Select(i => (float)i));
        folder.Npy("second/x.npy", [6, 3, 2], Enumerable.Range(1, 36).Select(i => (float)i));
        foreach (string name in (string[])["y.npy", "second/y.npy"]) folder.Npy(name, [6], Enumerable.Range(0, 6).Select(i => i % 2));
        string[] arrays = ["train", "--data", "npy", "--x", "x.npy", "--y", "y.npy", "--hidden", "4", "--epochs", "1", "--out", "m"];
        using Process data = Launch.Start(launcher, folder.Path, (1, null, arrays), (1, second, arrays));
        Outcome refused = Gsrnn.Finish(data);
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("another training set than member 0", refused.Error);
    }

    [SkippableTheory]
    [MemberData(nameof(Launchers))]
    public void OnlyTheFirstWritesAndMistakesAreToldOnce(string launcher)
    {
        // Where the second member works there is no folder for the model.
        Directory.CreateDirectory(folder["models"]);
        string second = Directory.CreateDirectory(folder["second"]).FullName;
        string[] call = ["train", "--data", "digits", "--limit", "60", "--epochs", "1", "-q", "--out", "models/m"], good = [.. call, "--hidden", "4"];
        using (Process process = Launch.Start(launcher, folder.Path, (1, null, good), (1, second, good))) Gsrnn.Finish(process).Succeeds();
        Assert.True(File.Exists(folder["models/m"]));
        Assert.Empty(Directory.GetFileSystemEntries(second));

        foreach ((string[] args, string says) in ((string[], string)[])
        [
            ([.. good, "--shards", "3"], "power of two"),
            ([.. good, "--shards", "1"], "cannot be shared by 2"),
            ([.. call, "--hidden", "0"], "0 hidden units"),
            (["eval", "models/m", "--data", "digits"], "eval works in one process"),
            ([.. good, "--mpi", "libnone.so"], "libnone.so"),
        ])
        {
            Outcome outcome = Launch.Run(launcher, 2, folder.Path, args);
            Assert.NotEqual(0, outcome.Code);
            Assert.Contains(says, outcome.Error);
            Assert.Equal("", outcome.Out.Trim());
            if (launcher.EndsWith("openmpi", StringComparison.Ordinal)) Assert.DoesNotContain("rank 1:", outcome.Error); // MPICH's waits for all
        }
    }

    private static double Find(JsonElement json, string path)
    {
        foreach (string step in path.Split('.'))
            json = json.ValueKind == JsonValueKind.Array ? json[int.Parse(step, CultureInfo.InvariantCulture)] : json.GetProperty(step);
        return json.GetDouble();
    }
}
