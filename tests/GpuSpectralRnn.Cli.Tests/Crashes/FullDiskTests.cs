using System.Diagnostics;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests.Crashes;

/// <summary>Disks that are full and file systems that turn read-only while a call runs: one line, exit code 1, the old file whole.</summary>
public class FullDiskTests
{
    private static readonly byte[] Old = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];

    [SkippableFact]
    public void AModelThatDoesNotFitOnTheDisk()
    {
        using Mount disk = new("256k");
        using Folder inputs = new();
        string model = disk["m"];
        File.WriteAllBytes(model, Old);

        string[] call = ["train", .. inputs.Npy(12), "--cell", "lstm", "--hidden", "128", "--epochs", "2", "--out", model, "-q"];

        Gsrnn.Run(call).FailsWith(1, "m.ckpt", "space left");
        Assert.Equal(Old, File.ReadAllBytes(model));
        Assert.Equal(["m"], disk.Names);
    }

    [SkippableFact]
    public void ADiskThatFillsUpBetweenEpochs()
    {
        using Mount disk = new("1m");
        using Folder inputs = new();
        string model = disk["m"], filler = disk["filler"];
        File.WriteAllBytes(model, Old);
        string[] call = ["train", .. inputs.Npy(200), "--cell", "gru", "--hidden", "32", "--epochs", "2000", "--out", model, "-q"];

        using Process run = Gsrnn.Start(inputs.Path, call);
        Await(run, () => File.Exists(disk["m.ckpt"]));
        Fill(filler);
        Gsrnn.Finish(run).FailsWith(1, "m.ckpt", "space left");

        Assert.Equal(Old, File.ReadAllBytes(model));
        Assert.Equal(["filler", "m", "m.ckpt"], disk.Names);
        File.Delete(filler);
        Assert.InRange(Training.Checkpoint.Load(disk["m.ckpt"]).State.Epoch, 1, 2000);
    }

    [SkippableFact]
    public void AFileSystemThatTurnsReadOnly()
    {
        using Mount disk = new("4m");
        using Folder inputs = new();
        string model = disk["m"];
        File.WriteAllBytes(model, Old);
        string[] call = ["train", .. inputs.Npy(200), "--cell", "gru", "--hidden", "32", "--epochs", "2000", "--out", model, "-q"];

        using Process run = Gsrnn.Start(inputs.Path, call);
        Await(run, () => File.Exists(disk["m.ckpt"]));
        disk.TurnReadOnly();
        Gsrnn.Finish(run).FailsWith(1, "m.ckpt", "Read-only");

        Assert.Equal(Old, File.ReadAllBytes(model));
        Assert.InRange(Training.Checkpoint.Load(disk["m.ckpt"]).State.Epoch, 1, 2000);
        Gsrnn.Run(call).FailsWith(1, disk.Path, "Read-only"); // at once
    }

    [SkippableFact]
    public void AnswersThatDoNotFitAreRefusedBeforeTheWork()
    {
        using Mount disk = new("256k");
        using Folder inputs = new();
        string[] data = inputs.Npy(4000, steps: 20);
        Gsrnn.Run(["train", .. data, "--limit", "8", "--cell", "gru", "--hidden", "4", "--epochs", "1", "--out", inputs["m"], "-q"]).Succeeds();
        File.WriteAllBytes(disk["y.npy"], Old);
        File.WriteAllBytes(disk["filler"], new byte[240_000]);

        Gsrnn.Run(["predict", inputs["m"], .. data, "--out", disk["y.npy"], "-q"]).FailsWith(2, "y.npy", "free");

        Assert.Equal(Old, File.ReadAllBytes(disk["y.npy"]));
        Assert.Equal(["filler", "y.npy"], disk.Names);
    }

    [SkippableFact]
    public void ALogThatDoesNotFit()
    {
        using Mount disk = new("256k");
        using Folder inputs = new();
        string[] call = ["train", .. inputs.Npy(12), "--cell", "gru", "--hidden", "4", "--epochs", "20000", "--out", inputs["m"], "--log", disk["log"], "-q"];

        using Process run = Gsrnn.Start(inputs.Path, call);
        Await(run, () => File.Exists(disk["log"]) && new FileInfo(disk["log"]).Length > 0);
        Fill(disk["filler"]);
        Gsrnn.Finish(run).FailsWith(1, disk["log"], "space left");

        Assert.InRange(Training.Checkpoint.Load(inputs["m.ckpt"]).State.Epoch, 1, 20000);
    }

    private static void Await(Process run, Func<bool> isThere)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!isThere())
        {
            Assert.False(run.HasExited, "it ended before its first checkpoint");
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "there was no checkpoint in a minute");
            Thread.Sleep(5);
        }
    }

    // Takes all space that is left.
    private static void Fill(string path)
    {
        byte[] block = new byte[4096];
        using FileStream filler = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, 0);
        try
        {
            while (true) filler.Write(block);
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    /// <summary>A small file system in memory.</summary>
    private sealed class Mount : IDisposable
    {
        private readonly Folder folder = new();

        public Mount(string size)
        {
            bool isMounted = OperatingSystem.IsLinux() && Call("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", Path);
            if (!isMounted) folder.Dispose();
            Skip.IfNot(isMounted, "file systems are mounted by root on Linux only");
        }

        public string Path => folder.Path;

        public string[] Names => [.. Directory.GetFiles(Path).Select(file => System.IO.Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

        public string this[string name] => folder[name];

        // Refused while a file is open to be written.
        public void TurnReadOnly()
        {
            for (int attempt = 0; attempt < 2000; attempt++)
            {
                if (Call("mount", "-o", "remount,ro", Path)) return;
            }

            Assert.Fail("the file system could not be made read-only");
        }

        public void Dispose()
        {
            Assert.True(Call("umount", Path));
            folder.Dispose();
        }

        private static bool Call(string program, params string[] words)
        {
            using Process process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }
}
