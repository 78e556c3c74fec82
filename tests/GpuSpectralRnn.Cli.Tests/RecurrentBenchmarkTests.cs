using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using Xunit;

namespace GpuSpectralRnn.Cli.Tests;

public class RecurrentBenchmarkTests
{
    // parameters G H (I + H + 2) of each layer, as PyTorch counts them
    [Theory]
    [InlineData("rnn-row", 20224)]
    [InlineData("rnn-pixel", 16768)]
    [InlineData("rnn-pixel-b256", 16768)]
    [InlineData("lstm-row", 80896)]
    [InlineData("gru-row", 60672)]
    [InlineData("lstm-ptb-small", 643200)]
    [InlineData("lstm-ptb-medium", 6770400)]
    [InlineData("lstm-ptb-large", 36024000)]
    public void Known_cases_have_their_sizes(string name, long parameters)
    {
        RecurrentBenchmark found = RecurrentBenchmark.Cases.Single(x => x.Name == name);
        RecurrentShape shape = found.Shape;
        long above = (found.Layers - 1L) * shape.GateRows * (2 * shape.Hidden + 2);
        Assert.Equal(parameters, (long)shape.GateRows * (shape.Inputs + shape.Hidden + 2) + above);
        Assert.Equal(name == "lstm-ptb-large", found.IsLong);
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
        RecurrentBenchmark two = new("two", new RecurrentShape(CellKind.Gru, 3, 5, 2, 7), Layers: 2);
        Assert.Equal(21 * (2 + 7 + 2) + 21 * (7 + 7 + 2), two.Run(backend, runs: 1).Parameters);
        Assert.Equal(2.0 * 3 * 5 * 21 * (3 * 7 + 2 * 2 + 3 * 7 + 3 * 7), two.TrainingOperations);
        Assert.Throws<ArgumentOutOfRangeException>(() => small.Run(backend, runs: 0));
    }
}
