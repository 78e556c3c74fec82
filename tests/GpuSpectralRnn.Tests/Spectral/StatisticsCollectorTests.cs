using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public sealed class StatisticsCollectorTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData(Cell.Irnn, "5", Readout.Last, false, 4, 7, 3)]
    [InlineData(Cell.RnnTanh, "4,3", Readout.Mean, false, 3, 5, 5)]
    [InlineData(Cell.RnnRelu, "3,6,2", Readout.Every, false, 1, 3, 2)]
    [InlineData(Cell.Lstm, "4,3", Readout.Last, false, 3, 5, 5)]
    [InlineData(Cell.Gru, "4,3", Readout.Last, true, 3, 5, 4)]
    public void Moments_and_means_agree_with_the_definition(
        Cell cell, string hidden, Readout readout, bool isBidirectional, int steps, int count, int batch)
    {
        using Network network = TestNetworks.Make(host, cell, Sizes(hidden), readout, isBidirectional: isBidirectional);
        NormalData data = new(count, steps, 3);
        double[][] weights =
            [.. Enumerable.Range(0, network.Architecture.Recurrences).Select(l => Enumerable.Range(0, steps).Select(t => 0.5 + t + l).ToArray())];

        StateStatistics[] result = new StatisticsCollector(network, data, batch).CollectStates(weights);

        ReferenceNetwork reference = ReferenceNetwork.Of(network);
        reference.Forward(data.TimeMajor(), steps, count);
        for (int l = 0; l < result.Length; l++)
        {
            int m = network.Architecture.RecurrenceUnits(l);
            Matrix states = Matrix.From(steps * count, m, reference.States[l]), scaled = states.Clone();
            for (int row = 0; row < states.Rows; row++)
                for (int j = 0; j < m; j++) scaled[row, j] *= weights[l][row / count] / (count * weights[l].Sum());

            // Products of single-precision states, themselves some 1e-6 off after a few steps, summed in double.
            Close.Equal(RandomMatrix.Moments(states).Data, result[l].SecondMoments.Mean().Data, 2e-5, 1e-6, "S", m, m);
            Close.Equal(Matrix.Product(scaled, states, transposeA: true).Data, result[l].TimeWeighted.Data, 2e-5, 1e-6, "S weighted by time", m, m);
            double[] mean = [.. Enumerable.Range(0, m).Select(j => Enumerable.Range(0, states.Rows).Average(r => states[r, j]))];
            Close.Equal(mean, result[l].Mean, 2e-5, 1e-6, "mean");
            Assert.Equal(steps * count, result[l].SecondMoments.Weight);
        }
    }

    [Theory]
    [InlineData(Cell.Irnn, "5", Readout.Last, false, 4)]
    [InlineData(Cell.RnnTanh, "5", Readout.Every, false, 3)]
    [InlineData(Cell.RnnTanh, "4,3", Readout.Mean, false, 5)]
    [InlineData(Cell.RnnRelu, "3,4,2", Readout.Last, false, 3)]
    [InlineData(Cell.RnnTanh, "3", Readout.Last, false, 1)]
    [InlineData(Cell.Lstm, "5", Readout.Last, false, 4)]
    [InlineData(Cell.Lstm, "4,3", Readout.Every, false, 3)]
    [InlineData(Cell.Gru, "5", Readout.Last, false, 4)]
    [InlineData(Cell.Gru, "4,3", Readout.Mean, false, 3)]
    [InlineData(Cell.RnnTanh, "4", Readout.Last, true, 4)]
    [InlineData(Cell.Lstm, "3,4", Readout.Last, true, 3)]
    [InlineData(Cell.Gru, "3,4", Readout.Every, true, 3)]
    [InlineData(Cell.Gru, "3", Readout.Mean, true, 1)]
    [InlineData(Cell.Lstm, "3,4", Readout.LastStep, true, 3)]
    public void Adjoint_matrix_and_step_weights_agree_with_finite_differences(
        Cell cell, string hidden, Readout readout, bool isBidirectional, int steps)
    {
        const int Count = 3;
        using Network network = TestNetworks.Make(host, cell, Sizes(hidden), readout, isBidirectional: isBidirectional);
        double[] input = new NormalData(Count, steps, 3).TimeMajor();
        double[] v = Numbers.Normal((readout == Readout.Every ? steps : 1) * Count * 4, 9).ToDoubles();
        using Tensor x = host.Allocate(new Shape(steps, Count, 3));
        x.CopyFrom<float>(Array.ConvertAll(input, value => (float)value));
        using AdjointObserver observer = new(network, new SequenceLayout(steps, 3, TargetKind.None, 0), Count);
        Tensor outputs = network.Forward(x, isTraining: true);
        outputs.CopyFrom<float>(Array.ConvertAll(v, value => (float)value));
        int[] lengths = [.. Enumerable.Repeat(steps, Count)];
        observer.Begin(new SequenceBatch(x), _ => lengths);

        network.Backward(outputs, observer);
        AdjointStatistics[] result = observer.Read();

        ReferenceNetwork reference = ReferenceNetwork.Of(network);
        for (int l = 0; l < result.Length; l++)
        {
            int m = network.Architecture.RecurrenceUnits(l);
            Matrix g = Matrix.From(steps * Count, m, reference.StateGradient(l, v, input, steps, Count));

            // Single-precision gradients through at most 5 steps against differences good to 1e-9.
            Close.Equal(RandomMatrix.Moments(g).Data, result[l].Matrix.Data, 2e-5, 2e-6, $"G of {network.Architecture.RecurrenceName(l)}", m, m);
            double[] norms = [.. Enumerable.Range(0, steps).Select(t => g.SelectRows([.. Enumerable.Range(t * Count, Count)]).FrobeniusNorm())];
            double[] sizes = Array.ConvertAll(norms, norm => norm * norm / Count);
            Close.Equal(sizes, result[l].StepWeights, 2e-5, 2e-6, "step weights");
        }
    }

    [Fact]
    public void For_one_step_the_adjoint_matrix_is_that_of_the_output_loss()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [5], Readout.Last);
        Matrix w = NetworkWeights.Read(network).Readout.Weight;

        Matrix g = new StatisticsCollector(network, new NormalData(400, 1, 3)).CollectAdjoint(AdjointMetric.Identity, probes: 50)[0].Matrix;

        // g = W^T v with 20,000 random v: E[v v^T] = I to 1/sqrt(20,000) = 0.7 %; four deviations.
        Matrix expected = Criterion.Output(w);
        Close.Equal(expected.Data, g.Data, 0, 0.03 * expected.FrobeniusNorm(), "G", 5, 5);
    }

    [Fact]
    public void In_the_Fisher_metric_it_is_weighed_by_the_softmax()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [5], Readout.Last);
        NormalData data = new(100, 1, 3);
        NetworkWeights weights = NetworkWeights.Read(network);

        Matrix g = new StatisticsCollector(network, data).CollectAdjoint(AdjointMetric.Fisher, probes: 200)[0].Matrix;

        double[] logits = ReferenceNetwork.Of(network).Forward(data.TimeMajor(), 1, 100);
        Matrix metric = new(4, 4);
        for (int row = 0; row < 100; row++)
        {
            double[] p = [.. logits[(row * 4)..(row * 4 + 4)].Select(Math.Exp)];
            double sum = p.Sum();
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++) metric[i, j] += ((i == j ? p[i] / sum : 0) - p[i] * p[j] / sum / sum) / 100;
        }

        Matrix w = weights.Readout.Weight, expected = Matrix.Product(w, metric * w, transposeA: true);
        Close.Equal(expected.Data, g.Data, 0, 0.04 * expected.FrobeniusNorm(), "G", 5, 5); // 20,000 draws, as above
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_does_not()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [7, 5], Readout.Last);
        Matrix Collect(ulong seed) =>
            new StatisticsCollector(network, new NormalData(11, 3, 3), 4).CollectAdjoint(AdjointMetric.Identity, 2, seed)[0].Matrix;

        Assert.Equal(Collect(3).Data, Collect(3).Data);
        Assert.NotEqual(Collect(3).Data, Collect(4).Data);
    }

    [Fact]
    public void Cancelled_it_keeps_what_was_collected()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        using CancellationTokenSource source = new();
        StatisticsCollector collector = new(network, new NormalData(20, 3, 3), 5) { Progress = done => { if (done == 10) source.Cancel(); } };

        Assert.Equal(30, collector.CollectStates(cancellation: source.Token)[0].SecondMoments.Weight);
    }

    [Fact]
    public void On_another_device_the_same_moments_come_out()
    {
        using IBackend simulator = Devices.Open("ilgpu-cpu");
        using Network here = TestNetworks.Make(host, Cell.RnnTanh, [5, 3], Readout.Mean);
        using Network there = TestNetworks.Make(simulator, Cell.RnnTanh, [5, 3], Readout.Mean);
        NormalData data = new(6, 3, 3);

        Matrix S(Network network) => new StatisticsCollector(network, data).CollectStates()[1].SecondMoments.Mean();
        Matrix G(Network network) => new StatisticsCollector(network, data).CollectAdjoint(AdjointMetric.Fisher)[0].Matrix;

        Close.Equal(S(here).Data, S(there).Data, 1e-5, 1e-6, "S"); // single-precision states of two backends
        Close.Equal(G(here).Data, G(there).Data, 1e-4, 1e-6, "G"); // and normal numbers equal to a few units in the last place
    }

    [Fact]
    public void A_broken_model_is_refused()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        float[] bias = network.Parameters.Read("rnn.bias_hh_l0");
        bias[2] = float.NaN;
        network.Parameters.Write("rnn.bias_hh_l0", bias);

        RunFailedException refused = Assert.Throws<RunFailedException>(() => new StatisticsCollector(network, new NormalData(4, 2, 3)));
        Assert.Contains("rnn.bias_hh_l0 holds NaN at index 2", refused.Message);
        using Network sound = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        Assert.Throws<InvalidCallException>(() => new StatisticsCollector(sound, new NormalData(4, 2, 5)));
    }

    private static int[] Sizes(string hidden) => [.. hidden.Split(',').Select(int.Parse)];
}
