using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace GpuSpectralRnn.Cli.Tests.Crashes;

/// <summary>
/// Kills a process, by SIGKILL, again and again: half of the times at a moment of its usual run, half of them a little after it began to write a file.
/// GSRNN_KILLS is how often in all (20), GSRNN_KILL_SEED repeats the draws of a run.
/// </summary>
internal sealed partial class Kills
{
    private readonly Random random;
    private readonly ITestOutputHelper output;
    private readonly string folder;
    private readonly int wanted, files;

    /// <summary>Prints the seed.</summary>
    /// <param name="output">Where what happened is told.</param>
    /// <param name="folder">Where the process writes.</param>
    /// <param name="share">Of all kills.</param>
    /// <param name="files">How many it begins to write in a run, those that only try the folder with them.</param>
    public Kills(ITestOutputHelper output, string folder, double share, int files)
    {
        (this.output, this.folder, this.files) = (output, folder, files);
        int seed = int.TryParse(Environment.GetEnvironmentVariable("GSRNN_KILL_SEED"), CultureInfo.InvariantCulture, out int given) ? given : Random.Shared.Next();
        int all = int.TryParse(Environment.GetEnvironmentVariable("GSRNN_KILLS"), CultureInfo.InvariantCulture, out int count) ? count : 20;
        wanted = Math.Max(1, (int)Math.Round(all * share));
        random = new Random(seed);
        output.WriteLine($"seed {seed}");
    }

    /// <summary>Kills as often as wanted.</summary>
    /// <param name="start">Starts the process.</param>
    /// <param name="usual">How long it takes when it is left alone.</param>
    /// <param name="check">Called after every kill, and with true after a run that ended before it could be killed.</param>
    public void Run(Func<Process> start, TimeSpan usual, Action<bool> check)
    {
        int killed = 0, ended = 0, whileWriting = 0;
        while (killed < wanted)
        {
            using SemaphoreSlim begun = new(0);
            using FileSystemWatcher watcher = Watch(begun);
            using Process process = start();
            if (killed % 2 == 1 && ended < wanted) AwaitWriting(process, begun, random.Next(files));
            else process.WaitForExit(usual * random.NextDouble());
            process.Kill();
            process.WaitForExit();
            bool isEnd = process.ExitCode != 128 + 9;
            Assert.True(!isEnd || process.ExitCode == 0, $"exit code {process.ExitCode}: {process.StandardError.ReadToEnd()}");
            if (isEnd) ended++;
            else killed++;
            if (!isEnd && Temporaries().Length > 0) whileWriting++;
            foreach (string name in Temporaries()) Assert.Matches(Ours(), name);
            check(isEnd);
        }

        output.WriteLine($"{killed} kills, {whileWriting} of them with a file half written; {ended} runs ended before");
    }

    /// <summary>The names of temporary files.</summary>
    public string[] Temporaries() => [.. Directory.GetFiles(folder, ".*").Select(file => Path.GetFileName(file)!)];

    // Counts temporary files that are begun, and whatever is written to others: nothing but a log should be, but what should not be must be caught.
    private FileSystemWatcher Watch(SemaphoreSlim begun)
    {
        FileSystemWatcher watcher = new(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.Size | NotifyFilters.LastWrite };
        watcher.Created += (_, file) => Count(Ours().IsMatch(file.Name!));
        watcher.Changed += (_, file) => Count(!Ours().IsMatch(file.Name!));
        watcher.EnableRaisingEvents = true;
        return watcher;

        void Count(bool isBeginning)
        {
            if (isBeginning) begun.Release();
        }
    }

    // Until it has begun the file after the first n, or has ended; then up to 3 ms more, mostly less than one.
    private void AwaitWriting(Process process, SemaphoreSlim begun, int n)
    {
        for (int i = 0; i <= n; i++)
        {
            while (!begun.Wait(TimeSpan.FromMilliseconds(5)))
                if (process.HasExited) return;
        }

        long until = Stopwatch.GetTimestamp() + (long)(Stopwatch.Frequency * 0.003 * Math.Pow(random.NextDouble(), 3));
        while (Stopwatch.GetTimestamp() < until) Thread.SpinWait(50);
    }

    [GeneratedRegex(@"^\.gsrnn-[0-9a-f]{8}-\d+-[0-9a-f]{8}\.tmp$")]
    private static partial Regex Ours();
}
