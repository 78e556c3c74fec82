using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Bench;

/// <summary>
/// Cases on a device and on the host in turn, so that a machine whose speed changes treats both alike; the median of the pairs' ratios counts. Where
/// other work shares the processor, the processor time of the whole measurement says more than the clock.
/// </summary>
internal static class BesideHost
{
    private const int Pairs = 5;
    private const int Runs = 5;

    /// <summary>Prints a line per case.</summary>
    public static void Run(string id, string[] names)
    {
        using IBackend device = BenchDevices.Open(id);
        using HostBackend host = new();
        Console.WriteLine($"{device.Device.Name} and {host.Threads} threads of the host; {Pairs} pairs of medians of {Runs} runs, milliseconds");
        foreach (string name in names)
        {
            if (RecurrentBenchmark.Cases.FirstOrDefault(c => c.Name == name) is { } layer)
            {
                Compare($"{name} train", backend => layer.Run(backend, Runs).TrainMilliseconds);
                Compare($"{name} infer", backend => layer.Run(backend, Runs).InferMilliseconds);
            }
            else
            {
                OperationBenchmark operation = OperationBenchmark.Cases.FirstOrDefault(c => c.Name == name)
                    ?? throw new InvalidCallException($"There is no case '{name}'; gsrnn bench --help names them.");
                Compare(name, backend => operation.Run(backend, Runs).Milliseconds);
            }
        }

        void Compare(string what, Func<IBackend, double> time)
        {
            time(device); // compiles
            TimeSpan onDevice = default;
            TimeSpan onHost = default;
            (double Device, double Host)[] pairs = [.. Enumerable.Range(0, Pairs).Select(_ => (Timed(device, ref onDevice), Timed(host, ref onHost)))];
            Console.WriteLine(
                $"{what,-22} {Median(pairs.Select(p => p.Device)),9:0.000}   host {Median(pairs.Select(p => p.Host)),9:0.000}   ratio {Median(pairs.Select(p => p.Device / p.Host)),6:0.00}   " +
                $"processor time {onDevice.TotalMilliseconds:0} and {onHost.TotalMilliseconds:0}");

            double Timed(IBackend backend, ref TimeSpan total)
            {
                TimeSpan start = Environment.CpuUsage.TotalTime;
                double result = time(backend);
                total += Environment.CpuUsage.TotalTime - start;
                return result;
            }
        }
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Pairs / 2);
}
