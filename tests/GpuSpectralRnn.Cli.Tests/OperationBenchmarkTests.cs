using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Compute.Host;
using Xunit;

namespace GpuSpectralRnn.Cli.Tests;

public class OperationBenchmarkTests
{
    [Fact]
    public void Names_are_those_of_one_case_each()
    {
        string[] names = [.. RecurrentBenchmark.Cases.Select(c => c.Name), .. OperationBenchmark.Cases.Select(c => c.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Equal(["gemm-4096", "gram-512"], OperationBenchmark.Cases.Where(c => c.IsLong).Select(c => c.Name));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_product_counts_its_arithmetic_and_its_operands(bool transposeA, bool transposeB)
    {
        using HostBackend backend = new(1);
        OperationBenchmark product = OperationBenchmark.Product("small", 3, 5, 7, transposeA, transposeB);
        Assert.Equal(2.0 * 3 * 5 * 7, product.Operations);
        Assert.Equal(4.0 * (3 * 7 + 7 * 5 + 3 * 5), product.Bytes);
        OperationTiming timing = product.Run(backend, runs: 3);
        Assert.True(timing.Milliseconds > 0);
        Assert.Equal(product.Operations / timing.Milliseconds * 1e-6, timing.Gflops, 1e-9);
        Assert.Equal(product.Bytes / timing.Milliseconds * 1e-6, timing.GigabytesPerSecond, 1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => product.Run(backend, runs: 0));
    }

    [Theory]
    [InlineData("gram-128")]
    [InlineData("eigen-128")]
    [InlineData("column-sums")]
    [InlineData("copy")]
    public void Other_operations_run(string name)
    {
        using HostBackend backend = new(1);
        Assert.True(OperationBenchmark.Cases.Single(c => c.Name == name).Run(backend, runs: 1).Milliseconds > 0);
    }

    [Fact]
    public void A_share_is_of_the_nearer_roof()
    {
        DevicePeaks peaks = new(Gflops: 100, GigabytesPerSecond: 10);
        Assert.Equal(0.5, peaks.ShareOf(50, 1), 1e-12);
        Assert.Equal(0.8, peaks.ShareOf(50, 8), 1e-12);
    }
}
