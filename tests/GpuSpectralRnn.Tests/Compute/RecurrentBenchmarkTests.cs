using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

public class RecurrentBenchmarkTests
{
    // parameters H (I + H + 2), as PyTorch counts them
    [Theory]
    [InlineData("rnn-row", 20224)]
    [InlineData("rnn-pixel", 16768)]
    [InlineData("rnn-pixel-b256", 16768)]
    public void Standing_cases_have_their_sizes(string name, long parameters)
    {
        RecurrentShape shape = RecurrentBenchmark.Cases.Single(x => x.Name == name).Shape;
        Assert.Equal(parameters, (long)shape.Hidden * (shape.Inputs + shape.Hidden + 2));
    }

    [Fact]
    public void A_case_runs_and_counts_its_arithmetic()
    {
        using HostBackend backend = new(2);
        RecurrentBenchmark small = new("small", new RecurrentShape(CellKind.RnnRelu, 3, 5, 2, 7));
        RecurrentTiming timing = small.Run(backend, runs: 2);
        Assert.Equal(7 * (2 + 7 + 2), timing.Parameters);
        Assert.Equal(2.0 * 3 * 5 * 7 * (7 + 2 + 7 + 7 + 2), small.TrainingOperations);
        Assert.True(timing.TrainMilliseconds > 0 && timing.InferMilliseconds > 0);
        Assert.Equal(small.TrainingOperations / timing.TrainMilliseconds * 1e-6, timing.Gflops, 1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => small.Run(backend, runs: 0));
    }
}
