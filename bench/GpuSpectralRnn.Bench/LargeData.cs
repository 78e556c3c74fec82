using System.Globalization;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Bench;

/// <summary>
/// Training on sequences that stay in their files beside training on the same ones in memory, in turns, shuffled over the whole set; the median of the
/// pairs' ratios counts.
/// </summary>
internal static class LargeData
{
    private const int Pairs = 5;
    private const double Seconds = 6;

    /// <summary>Prints a line per pair, and what stayed in memory.</summary>
    /// <param name="sequences">NPY files of inputs.</param>
    /// <param name="labels">NPY files of labels.</param>
    /// <param name="threads">0: one per core. A core that others use makes ratios of several threads worthless.</param>
    public static void Run(string sequences, string labels, int threads)
    {
        using HostBackend backend = new(threads);
        using NpyData inFiles = NpyData.Load(sequences, labels, mostKept: 0);
        Console.WriteLine($"{inFiles.Count:N0} sequences [{inFiles.Layout.Steps}, {inFiles.Layout.Features}], {inFiles.Bytes / 1e9:N1} GB, lstm 128, batch 64, {backend.Threads} threads");
        Rate(inFiles, backend, epoch: 0); // compiles
        double first = Rate(inFiles, backend, epoch: 100);
        Console.WriteLine($"in files, as far as they are not in the system's cache from the disk {first,9:N0} sequences/s, at most {Peak():N0} MB resident");
        using NpyData kept = NpyData.Load(sequences, labels, mostKept: long.MaxValue); // brings the files into the cache too
        Console.WriteLine($"in memory: {Peak():N0} MB resident");
        List<double> ratios = [];
        for (int pair = 1; pair <= Pairs; pair++)
        {
            double memory = Rate(kept, backend, pair), files = Rate(inFiles, backend, pair);
            ratios.Add(files / memory);
            Console.WriteLine($"in memory {memory,9:N0}   in files {files,9:N0} sequences/s   ratio {files / memory:0.000}");
        }

        Console.WriteLine($"median of the ratios {ratios.Order().ElementAt(Pairs / 2):0.000}");
    }

    // Sequences a second, of an epoch that is broken off.
    private static double Rate(NpyData data, HostBackend backend, int epoch)
    {
        Architecture recipe = new() { Cell = Cell.Lstm, Inputs = data.Layout.Features, Hidden = [128], Outputs = data.Layout.Outputs };
        using Network network = Network.Create(recipe, backend, seed: 1);
        using CancellationTokenSource limit = new();
        using Trainer trainer = new(network, data, null, new TrainingSettings { Epochs = 1, BatchSize = 64, Seed = (ulong)epoch });
        trainer.WarmUp();
        limit.CancelAfter(TimeSpan.FromSeconds(Seconds));
        TrainingResult result = trainer.Run(limit.Token);
        return result.Steps * 64 / result.Seconds;
    }

    // VmHWM, in MB.
    private static double Peak() => double.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal),
        CultureInfo.InvariantCulture) / 1024;
}
