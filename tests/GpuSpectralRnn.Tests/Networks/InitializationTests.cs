using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Tests.Networks;

public class InitializationTests
{
    [Fact]
    public void An_irnn_starts_at_the_identity_with_small_input_weights()
    {
        Architecture architecture = NetworkTests.Make(Cell.Irnn, "100,100,30", Readout.Last, TaskKind.Classification, inputs: 90, outputs: 10);
        float[] block = Initialization.Draw(architecture.Build(), seed: 3);
        float[] input = Slice(architecture, block, "rnn.weight_ih_l0");

        Assert.Equal(Identity(100), Slice(architecture, block, "rnn.weight_hh_l0"));
        Assert.Equal(Identity(100), Slice(architecture, block, "rnn.weight_ih_l1"));
        Assert.All(Slice(architecture, block, "rnn.bias_hh_l1"), value => Assert.Equal(0f, value));

        // 9,000 draws: the mean is within 5 standard errors (5 x 0.01 / sqrt(9000)), the deviation within 5 / sqrt(2 x 9000) = 4 %.
        Assert.InRange(input.Average(), -5.3e-4, 5.3e-4);
        Assert.InRange(Math.Sqrt(input.Average(value => (double)value * value)), 0.96e-2, 1.04e-2);
        CheckUniform(Slice(architecture, block, "rnn.weight_ih_l2"), 1 / Math.Sqrt(30));
        CheckUniform(Slice(architecture, block, "readout.weight"), 1 / Math.Sqrt(30));
    }

    [Theory]
    [InlineData(Cell.Lstm, 4)]
    [InlineData(Cell.Gru, 3)]
    public void Gates_begin_by_keeping_for_up_to_T_steps(Cell cell, int gates)
    {
        const int units = 500, steps = 100;
        using HostBackend backend = new(1);
        Architecture architecture = NetworkTests.Make(cell, $"{units}", Readout.Last, TaskKind.Classification, inputs: 3, outputs: 2);
        using Network network = Network.Create(architecture, backend, seed: 3);
        RecurrentWeights weights = network.Parameters.Recurrent(network.Graph.Nodes.Select(node => node.Module).OfType<Recurrent>().First().Name);
        float[] before = weights.InputBias.ToArray();
        Initialization.Chrono(network, seed: 5, steps);
        float[] bias = weights.InputBias.ToArray(), other = weights.HiddenBias.ToArray(), keep = bias[units..(2 * units)];

        // u is uniform in 1..99, of mean 50 and deviation 98 / sqrt(12) = 28.3; 5 standard errors of 500 are 6.3.
        double[] open = [.. keep.Select(value => Math.Exp(value))];
        Assert.All(open, u => Assert.InRange(u, 0.9999, steps - 0.99));
        Assert.InRange(open.Average(), 43.7, 56.3);
        Assert.All(other[units..(2 * units)], value => Assert.Equal(0f, value));
        Assert.Equal(before[(2 * units)..], bias[(2 * units)..]);
        if (gates == 4) Assert.Equal(keep.Select(value => -value), bias[..units]);
        else Assert.Equal(before[..units], bias[..units]);
        Initialization.Chrono(network, seed: 5, steps);
        Assert.Equal(bias, weights.InputBias.ToArray());
    }

    [Fact]
    public void Cells_without_gates_cannot_begin_with_open_ones()
    {
        using HostBackend backend = new(1);
        using Network network = Network.Create(
            NetworkTests.Make(Cell.RnnTanh, "5", Readout.Last, TaskKind.Classification, inputs: 3, outputs: 2), backend, seed: 3);
        Assert.Contains("LSTM or GRU", Assert.Throws<InvalidCallException>(() => Initialization.Chrono(network, 1, 9)).Message);
        Assert.Contains("2 or more", Assert.Throws<InvalidCallException>(() => Initialization.Chrono(network, 1, 1)).Message);
    }

    [Theory]
    [InlineData(Cell.RnnTanh)]
    [InlineData(Cell.RnnRelu)]
    [InlineData(Cell.Lstm)]
    [InlineData(Cell.Gru)]
    public void Other_cells_start_uniform_as_in_PyTorch(Cell cell)
    {
        Architecture architecture = NetworkTests.Make(cell, "25,49", Readout.Last, TaskKind.Classification, inputs: 20, outputs: 10);
        float[] block = Initialization.Draw(architecture.Build(), seed: 3);

        foreach (string name in (string[])["rnn.weight_ih_l0", "rnn.weight_hh_l0"]) CheckUniform(Slice(architecture, block, name), 0.2);
        foreach (string name in (string[])["rnn.weight_ih_l1", "rnn.weight_hh_l1", "readout.weight"])
            CheckUniform(Slice(architecture, block, name), 1 / 7.0);
    }

    [Fact]
    public void An_embedding_starts_normal_as_in_PyTorch_and_small_where_it_is_tied()
    {
        Architecture architecture =
            NetworkTests.Make(Cell.Gru, "30", Readout.Every, TaskKind.Classification, inputs: 30, outputs: 100) with { Vocabulary = 100 };
        float[] normal = Slice(architecture, Initialization.Draw(architecture.Build(), seed: 3), "embedding.weight");

        // 3,000 draws: mean within 5 / sqrt(3000), variance within 5 sqrt(2 / 3000).
        Assert.InRange(normal.Average(), -0.092, 0.092);
        Assert.InRange(normal.Average(value => (double)value * value), 0.87, 1.13);
        Architecture tied = architecture with { TiesWeights = true };
        CheckUniform(Slice(tied, Initialization.Draw(tied.Build(), seed: 3), "embedding.weight"), 0.1);
    }

    [Fact]
    public void One_range_serves_all_parameters_where_it_is_given()
    {
        Architecture architecture =
            NetworkTests.Make(Cell.Irnn, "25,49", Readout.Every, TaskKind.Classification, inputs: 20, outputs: 10) with { Vocabulary = 10 };
        float[] block = Initialization.Draw(architecture.Build(), seed: 3, range: 0.04);

        foreach (ParameterSpec slot in architecture.Build().Parameters.Where(slot => slot.Shape.Count > 200))
            CheckUniform(Slice(architecture, block, slot.Name), 0.04);
        Assert.NotEqual(0f, Slice(architecture, block, "rnn.bias_hh_l1")[0]);
        foreach (double bad in new[] { 0, -1, double.NaN, double.PositiveInfinity })
            Assert.Contains($"+-{bad}", Assert.Throws<InvalidCallException>(() => Initialization.Draw(architecture.Build(), 3, bad)).Message);
    }

    [Fact]
    public void Weights_depend_on_the_seed_and_no_two_parameters_share_numbers()
    {
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, "25", Readout.Last, TaskKind.Classification, inputs: 25, outputs: 10);
        float[] block = Initialization.Draw(architecture.Build(), seed: 3);

        Assert.Equal(block, Initialization.Draw(architecture.Build(), seed: 3));
        Assert.NotEqual(block, Initialization.Draw(architecture.Build(), seed: 4));
        Assert.NotEqual(Slice(architecture, block, "rnn.weight_ih_l0"), Slice(architecture, block, "rnn.weight_hh_l0"));
    }

    private static void CheckUniform(float[] values, double bound)
    {
        // Several hundred draws: all within the bound, the extremes near it (missed by 10 % once in 10^9 runs), the mean within 5 standard errors.
        Assert.InRange(values.Max(), 0.9 * bound, bound);
        Assert.InRange(values.Min(), -bound * 1.0000001, -0.9 * bound);
        double error = 5 * bound / Math.Sqrt(3.0 * values.Length);
        Assert.InRange(values.Average(), -error, error);
    }

    private static float[] Identity(int n) => [.. Enumerable.Range(0, n * n).Select(i => i / n == i % n ? 1f : 0f)];

    private static float[] Slice(Architecture architecture, float[] block, string name)
    {
        ParameterSpec slot = architecture.Build().Parameters.Single(slot => slot.Name == name);
        return block.AsSpan((int)slot.Offset, (int)slot.Shape.Count).ToArray();
    }
}
