using GpuSpectralRnn.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

/// <summary>Sequences of unequal length and streams: padding never counts, and a stream's state goes on.</summary>
public sealed class PaddedStatisticsTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData(Cell.Lstm, false)]
    [InlineData(Cell.Gru, true)]
    public void Moments_of_sequences_of_unequal_length_are_those_of_the_sequences_one_by_one(Cell cell, bool isBidirectional)
    {
        const int Steps = 4;
        using Network network = TestNetworks.MakeLanguageModel(host, cell, [5, 3], isBidirectional: isBidirectional);
        TokenData data = new(10, Steps, 7, isStream: false);

        StateStatistics[] result = new StatisticsCollector(network, data, 4).CollectStates();

        GramAccumulator[] sums = [.. result.Select(statistics => host.Spectral.CreateGram(statistics.SecondMoments.Units))];
        double[][] means = [.. result.Select(statistics => new double[statistics.SecondMoments.Units])];
        for (int i = 0; i < data.Count; i++)
        {
            network.Forward(One(data, i));
            for (int r = 0; r < result.Length; r++)
            {
                Tensor states = network.Values(network.Graph.PrunableAxes[r].Name);
                sums[r].Add(new(states));
                float[] values = states.ToArray();
                for (int v = 0; v < values.Length; v++) means[r][v % means[r].Length] += values[v];
            }
        }

        Assert.Equal(network.Architecture.Recurrences + 1, result.Length);
        Assert.Equal("embedding", result[^1].SecondMoments.Layer);
        for (int r = 0; r < result.Length; r++)
        {
            (Matrix expected, double steps) = StatisticsCollector.Read(sums[r]);
            Assert.Equal(steps, result[r].SecondMoments.Weight);

            // The same single-precision states in other batches
            Close.Equal(expected.Data, result[r].SecondMoments.Sums.Data, 1e-5, 1e-6, $"sums {r}");
            Close.Equal(means[r], result[r].SecondMoments.StateSums!, 1e-5, 1e-5, $"state sums {r}");
        }

        foreach (GramAccumulator gram in sums) gram.Dispose();
    }

    [Fact]
    public void Moments_of_a_stream_are_those_of_its_columns_as_long_sequences()
    {
        const int Steps = 3, Columns = 4, Windows = 5;
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [5, 3]);
        TokenData data = new(Columns * Windows, Steps, 7, isStream: true);

        StateStatistics[] result = new StatisticsCollector(network, data, Columns).CollectStates();

        int length = Windows * Steps;
        using Tensor tokens = host.Allocate(new Shape(length, Columns), ElementType.Int32),
            lengths = host.Allocate(new Shape(Columns), ElementType.Int32);
        int[] values = new int[length * Columns];
        for (int t = 0; t < length; t++)
            for (int b = 0; b < Columns; b++) values[t * Columns + b] = data.TokenOf(b * Windows + t / Steps, t % Steps);
        tokens.CopyFrom<int>(values);
        lengths.CopyFrom<int>([length, length, length, length - 1]);
        network.Forward(new SequenceBatch(tokens, lengths));
        for (int r = 0; r < 2; r++)
        {
            using GramAccumulator sums = host.Spectral.CreateGram(network.Architecture.Hidden[r]);
            sums.Add(new(network.Values(network.Architecture.RecurrenceName(r)))); // zero beyond the length
            Close.Equal(StatisticsCollector.Read(sums).Sums.Data, result[r].SecondMoments.Sums.Data, 1e-5, 1e-6, $"sums {r}");
            Assert.Equal(length * Columns - 1, result[r].SecondMoments.Weight);
        }
    }

    [Theory]
    [InlineData(Cell.Lstm, Readout.Every, false)]
    [InlineData(Cell.Gru, Readout.Last, true)]
    [InlineData(Cell.RnnTanh, Readout.Mean, true)]
    [InlineData(Cell.Gru, Readout.LastStep, true)]
    public void The_adjoint_of_sequences_of_unequal_length_is_that_of_the_sequences_one_by_one(Cell cell, Readout readout, bool isBidirectional)
    {
        const int Steps = 4, Count = 6, Inputs = 3, Outputs = 4;
        using Network network = TestNetworks.Make(host, cell, [5, 3], readout, isBidirectional: isBidirectional);
        float[] inputs = Numbers.Normal(Steps * Count * Inputs, 3), v = Numbers.Normal((readout == Readout.Every ? Steps : 1) * Count * Outputs, 8);
        int[] lengths = [4, 1, 3, 2, 4, 3];
        using AdjointObserver together = new(network, Layout(Steps), Count), alone = new(network, Layout(Steps), 1);
        Run(together, inputs, v, lengths, Steps);
        AdjointStatistics[] result = together.Read();

        Matrix[] expected = [.. result.Select(statistics => new Matrix(statistics.Matrix.Rows, statistics.Matrix.Rows))];
        for (int b = 0; b < Count; b++)
        {
            int steps = lengths[b];
            float[] Rows(float[] all, int width, int rows) =>
                [.. Enumerable.Range(0, rows).SelectMany(t => all[((t * Count + b) * width)..((t * Count + b + 1) * width)])];
            using AdjointObserver one = new(network, Layout(steps), 1);
            Run(one, Rows(inputs, Inputs, steps), Rows(v, Outputs, readout == Readout.Every ? steps : 1), [steps], steps);
            AdjointStatistics[] own = one.Read();
            for (int r = 0; r < own.Length; r++) expected[r] += (double)steps / lengths.Sum() * own[r].Matrix;
        }

        // The same single-precision gradients in other batches
        for (int r = 0; r < result.Length; r++) Close.Equal(expected[r].Data, result[r].Matrix.Data, 1e-4, 1e-6, $"G {r}");

        static SequenceLayout Layout(int steps) => new(steps, Inputs, TargetKind.None, 0);

        void Run(AdjointObserver observer, float[] inputs, float[] v, int[] lengths, int steps)
        {
            using Tensor x = host.Allocate(new Shape(steps, lengths.Length, Inputs)), n = host.Allocate(new Shape(lengths.Length), ElementType.Int32);
            x.CopyFrom<float>(inputs);
            n.CopyFrom<int>(lengths);
            SequenceBatch batch = new(x, lengths.All(length => length == steps) ? null : n);
            Tensor outputs = network.Forward(batch, isTraining: true);
            outputs.CopyFrom<float>(v);
            if (readout == Readout.Every && batch[0].Lengths is { } valid) host.Matrix.ClearPadding(new(outputs, valid));
            observer.Begin(batch, _ => lengths);
            network.Backward(outputs, observer);
        }
    }

    [Fact]
    public void The_judgement_counts_no_padding()
    {
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Gru, [6]);
        TokenData data = new(10, 4, 7, isStream: false);
        using Network small = Slicer.Slice(network, new MagnitudeUnits().Plan(new Calibration(network, data), [3]));
        OutputDivergence result = OutputDivergence.Measure(network, small, data, 3);

        double divergence = 0, agreement = 0, steps = 0;
        for (int i = 0; i < data.Count; i++)
        {
            SequenceBatch one = One(data, i);
            using LossTotals totals = host.Loss.CreateTotals();
            host.Loss.SoftmaxDivergence(new(small.Forward(one), network.Forward(one), 1, null, totals));
            LossSums sums = totals.Read();
            divergence += sums.Loss;
            agreement += sums.Correct;
            steps += sums.Rows;
        }

        // 1e-5: the outputs are of single precision.
        Close.Equal([divergence / steps, agreement / steps], [result.Divergence, result.Agreement!.Value], 1e-5, 0, "KL, agreement");
    }

    // A sequence of its own length.
    private SequenceBatch One(TokenData data, int index)
    {
        Tensor tokens = host.Allocate(new Shape(data.LengthOf(index), 1), ElementType.Int32);
        tokens.CopyFrom<int>([.. Enumerable.Range(0, data.LengthOf(index)).Select(t => data.TokenOf(index, t))]);
        return new SequenceBatch(tokens);
    }
}
