using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>Peak rates of a device, measured on it, for the roofline model.</summary>
/// <param name="Gflops">Of a square product in single precision, in 1e9 operations per second.</param>
/// <param name="GigabytesPerSecond">Of a copy within the device, bytes read and written, in 1e9 per second.</param>
public readonly record struct DevicePeaks(double Gflops, double GigabytesPerSecond)
{
    private const int LargestOrder = 4096;
    private const int LargestCopy = 1 << 28;
    private const double LongEnough = 20;

    /// <summary>Measures products and copies of growing size until one takes 20 ms; the best counts.</summary>
    public static DevicePeaks Measure(IBackend backend)
    {
        double gflops = 0;
        double milliseconds = 0;
        for (int order = 128; order <= LargestOrder && milliseconds < LongEnough; order *= 2)
        {
            OperationTiming product = OperationBenchmark.Product("square", order, order, order).Run(backend, runs: 3);
            gflops = Math.Max(gflops, product.Gflops);
            milliseconds = product.Milliseconds;
        }

        double gigabytes = 0;
        milliseconds = 0;

        // From 32 MiB on: smaller copies would fit into a cache.
        for (int count = 1 << 23; count <= LargestCopy && milliseconds < LongEnough; count *= 2)
        {
            OperationTiming copy = OperationBenchmark.Copy("copy", count).Run(backend, runs: 3);
            gigabytes = copy.GigabytesPerSecond;
            milliseconds = copy.Milliseconds;
        }

        return new DevicePeaks(gflops, gigabytes);
    }

    /// <summary>The fraction of the peak, of arithmetic or memory whichever is nearer, that some work reached.</summary>
    public double ShareOf(double gflops, double gigabytesPerSecond) => Math.Max(gflops / Gflops, gigabytesPerSecond / GigabytesPerSecond);
}
