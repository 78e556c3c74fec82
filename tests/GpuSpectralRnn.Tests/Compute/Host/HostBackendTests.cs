using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Host;

public class HostBackendTests
{
    [Fact]
    public void Zero_threads_mean_one_per_core()
    {
        using HostBackend backend = new();
        Assert.Equal(Environment.ProcessorCount, backend.Threads);
        Assert.Equal("host", backend.Device.Id);
        Assert.True(backend.Device.HasFloat64);
    }

    [Fact]
    public void Negative_threads_are_refused() =>
        Assert.Contains("-1 threads", Assert.Throws<InvalidCallException>(() => new HostBackend(-1)).Message);

    [Fact]
    public void More_memory_than_there_is_fails_with_a_clear_line()
    {
        using HostBackend backend = new();
        Assert.Contains("MiB", Assert.Throws<RunFailedException>(() => backend.Allocate(new Shape(1 << 24, 1 << 24))).Message);
    }

    [Fact]
    public void A_label_beyond_the_classes_is_refused_before_memory_is_read()
    {
        using HostBackend backend = new();
        using Tensor logits = backend.Allocate(new Shape(2, 3));
        using Tensor labels = backend.Allocate(new Shape(2), ElementType.Int32);
        labels.CopyFrom<int>([0, 3]);
        using LossTotals totals = backend.Loss.CreateTotals();
        string message = Assert.Throws<InvalidCallException>(() => backend.Loss.SoftmaxCrossEntropy(new(logits, labels, 1, null, totals))).Message;
        Assert.Contains("label 3 in row 1", message);
    }
}
