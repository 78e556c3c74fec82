using System.Diagnostics;
using System.Globalization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Bench;

/// <summary>
/// Trains, prunes and predicts in one process for a long time, the calls of the program one after another, and watches what the process holds: after the
/// first quarter, its warm-up, memory stays flat and handles and threads do not grow.
/// </summary>
internal static class Soak
{
    private const int Growth = 24; // MB between the first and the last third that are not called growth: a heap breathes by as much

    /// <summary>Prints a line a minute and the verdict, and leaves all samples in a file.</summary>
    /// <param name="minutes">How long.</param>
    /// <param name="csv">Where the samples go: seconds, resident MB, managed MB, handles, threads.</param>
    /// <returns>Exit code: 1 where something grew or a call failed.</returns>
    public static int Run(double minutes, string csv)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("gsrnn-soak-");
        try
        {
            string[][] calls = Calls(folder.FullName);
            List<Sample> samples = [];
            Stopwatch clock = Stopwatch.StartNew();
            double told = 0;
            int rounds = 0;
            using StreamWriter file = new(csv);
            file.WriteLine("seconds,resident,managed,handles,threads");
            for (; clock.Elapsed.TotalMinutes < minutes; rounds++)
            {
                foreach (string[] call in calls)
                {
                    using StringWriter output = new(), error = new();
                    if (Cli.Program.Run(call, output, error) == 0) continue;
                    Console.WriteLine($"round {rounds}: {string.Join(' ', call)}: {error}");
                    return 1;
                }

                Sample sample = Sample.Take(clock.Elapsed.TotalSeconds);
                samples.Add(sample);
                file.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{sample.Seconds:0},{sample.Resident:0.0},{sample.Managed:0.0},{sample.Handles},{sample.Threads}"));
                if (sample.Seconds - told < 60) continue;
                told = sample.Seconds;
                Console.WriteLine($"{told / 60,4:0} min  {rounds,5} rounds  {sample}");
            }

            return Judge(samples, rounds, clock.Elapsed);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Judge(List<Sample> samples, int rounds, TimeSpan took)
    {
        Sample[] warm = [.. samples.Skip(samples.Count / 4)];
        if (warm.Length < 6)
        {
            Console.WriteLine("too few rounds to judge by; let it run longer");
            return 1;
        }

        Sample first = Sample.Most(warm[..(warm.Length / 3)]), last = Sample.Most(warm[^(warm.Length / 3)..]);
        Console.WriteLine($"{rounds} rounds of train, prune, predict in {took.TotalMinutes:0.0} min; most of the first third after the warm-up: {first}; of the last third: {last}");
        bool grew = last.Resident > first.Resident + Growth || last.Handles > first.Handles || last.Threads > first.Threads;
        Console.WriteLine(grew ? "it grew" : "flat");
        return grew ? 1 : 0;
    }

    // A recurrent classifier of built-in images, and one of arrays that stay in their file.
    private static string[][] Calls(string folder)
    {
        string Path(string name) => System.IO.Path.Combine(folder, name);
        Shape shape = new(30_000, 28, 100); // 336 MB, holes but for the first rows
        NpyFile.Write(Path("x.npy"), shape, write =>
        {
            for (int n = 0; n < 300; n++) write(n, [.. Enumerable.Range(0, 2800).Select(i => MathF.Sin((n * 31) + (i * 0.7f)))]);
        });
        NpyFile.Write(Path("y.npy"), new Shape(shape[0], 1), write =>
        {
            for (int n = 0; n < 300; n++) write(n, [MathF.Sin(n)]);
        });
        string[] digits = ["--data", "digits", "--limit", "400", "-q"], arrays = ["--data", "npy", "--x", Path("x.npy"), "--limit", "300", "-q"];
        return
        [
            ["train", .. digits, "--cell", "lstm", "--hidden", "32", "--epochs", "2", "--out", Path("m")],
            ["prune", Path("m"), .. digits, "--keep", "16", "--refine", "30", "--out", Path("s")],
            ["predict", Path("s"), .. digits, "--out", Path("p.npy")],
            ["train", .. arrays, "--y", Path("y.npy"), "--cell", "gru", "--hidden", "24", "--epochs", "2", "--out", Path("m")],
            ["prune", Path("m"), .. arrays, "--keep", "8", "--refine", "off", "--out", Path("s")],
            ["predict", Path("s"), .. arrays, "--out", Path("p.npy")],
        ];
    }

    /// <summary>What the process holds.</summary>
    private sealed record Sample(double Seconds, double Resident, double Managed, int Handles, int Threads)
    {
        private const double Mega = 1 << 20;

        public static Sample Take(double seconds)
        {
            using Process own = Process.GetCurrentProcess();
            return new Sample(seconds, own.WorkingSet64 / Mega, GC.GetTotalMemory(forceFullCollection: false) / Mega, own.HandleCount, own.Threads.Count);
        }

        public static Sample Most(IReadOnlyCollection<Sample> samples) =>
            new(0, samples.Max(s => s.Resident), samples.Max(s => s.Managed), samples.Max(s => s.Handles), samples.Max(s => s.Threads));

        public override string ToString() => $"{Resident:0} MB resident, {Managed:0} MB managed, {Handles} handles, {Threads} threads";
    }
}
