using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training.Replicas;

/// <summary>Statistics that members of a group collect together against those of one alone.</summary>
public sealed class ReplicaStatisticsTests
{
    [Theory]
    [InlineData(false, 2)]
    [InlineData(false, 3)]
    [InlineData(false, 4)]
    [InlineData(true, 2)]
    [InlineData(true, 5)]
    public void Moments_are_those_of_one_member_and_the_same_at_all(bool isText, int size)
    {
        StateStatistics[] alone = Collect(isText, LocalReplicas.Instance);
        StateStatistics[][] members = Group.Run(size, replicas => Collect(isText, replicas));
        foreach (StateStatistics[] member in members)
        {
            for (int i = 0; i < alone.Length; i++)
            {
                // Sums in double precision of the same products, in another order.
                Close.Equal(alone[i].SecondMoments.Mean().Data, member[i].SecondMoments.Mean().Data, rtol: 1e-12, atol: 1e-14);
                Close.Equal(alone[i].TimeWeighted.Data, member[i].TimeWeighted.Data, rtol: 1e-12, atol: 1e-14);
                Close.Equal(alone[i].Mean, member[i].Mean, rtol: 1e-6, atol: 1e-7); // the columns of a batch are summed in single precision
                Assert.Equal(alone[i].SecondMoments.Weight, member[i].SecondMoments.Weight);
                Assert.Equal(members[0][i].SecondMoments.Mean().Data, member[i].SecondMoments.Mean().Data);
            }
        }
    }

    [Theory]
    [InlineData(false, AdjointMetric.Identity, 2)]
    [InlineData(false, AdjointMetric.Fisher, 3)]
    [InlineData(true, AdjointMetric.Fisher, 2)]
    public void Adjoints_are_those_of_one_member_probe_by_probe(bool isText, AdjointMetric metric, int size)
    {
        AdjointStatistics[] alone = CollectAdjoint(isText, metric, LocalReplicas.Instance);
        foreach (AdjointStatistics[] member in Group.Run(size, replicas => CollectAdjoint(isText, metric, replicas)))
        {
            for (int i = 0; i < alone.Length; i++)
            {
                // Gradients in single precision, from the same random vectors: other vectors would give a matrix that differs by a tenth and more.
                double scale = alone[i].Matrix.Data.Max(Math.Abs);
                Close.Equal(alone[i].Matrix.Data, member[i].Matrix.Data, rtol: 0, atol: 1e-5 * scale);
                Close.Equal(alone[i].StepWeights, member[i].StepWeights, rtol: 1e-5, atol: 0);
            }
        }
    }

    private static StateStatistics[] Collect(bool isText, IReplicas replicas)
    {
        using HostBackend host = new(threads: 1);
        using Network network = Make(host, isText);
        ISequenceData data = Data(isText);
        double[] weights = [.. Enumerable.Range(1, data.Layout.Steps).Select(t => 1.0 / t)];
        return new StatisticsCollector(network, data, batchSize: 8) { Replicas = replicas }
            .CollectStates([.. network.Graph.PrunableAxes.Select(_ => weights)]);
    }

    private static AdjointStatistics[] CollectAdjoint(bool isText, AdjointMetric metric, IReplicas replicas)
    {
        using HostBackend host = new(threads: 1);
        using Network network = Make(host, isText);
        return new StatisticsCollector(network, Data(isText), batchSize: 8) { Replicas = replicas }.CollectAdjoint(metric, probes: 2);
    }

    private static Network Make(HostBackend host, bool isText) => isText
        ? TestNetworks.MakeLanguageModel(host, Cell.Lstm, [6], embedding: 4)
        : TestNetworks.Make(host, Cell.Gru, [6, 5], Readout.Last, inputs: 2, outputs: 3);

    // 17 sequences in batches of 8: the last one leaves all but one member nothing. As text 31 windows, in columns of 4.
    private static ISequenceData Data(bool isText) => isText ? new TokenData(31, 5, 7, isStream: true) : new ToyData(17);
}
