using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>What is kept of a big network's answers is what it says.</summary>
public sealed class TeacherTests
{
    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void Kept_answers_are_the_networks_own(string device)
    {
        using IBackend backend = Devices.Open(device);
        foreach (Readout readout in (Readout[])[Readout.Last, Readout.Every])
        {
            using Network network = TestNetworks.Make(backend, Cell.Gru, [7, 5], readout);
            MixedInputs data = new(new NormalData(11, 4, 3), seed: 5);
            (string, int[])[] states = [("l0", [1, 4, 6]), ("l1", [0, 3])];
            using Teacher kept = new(network, data, 8, states), asked = new(network, data, 8, states, mostBytes: 0);
            Assert.True(kept.Keeps);
            Assert.False(asked.Keeps);
            using DeviceBatches feed = new(data, backend, 8);
            for (int epoch = 0; epoch < 3; epoch++)
            {
                feed.RestartShuffled(3, epoch);
                while (feed.Next())
                {
                    kept.See(feed);
                    float[][] known = Answers(kept);
                    asked.See(feed);
                    Assert.Equal(Answers(asked), known);
                    network.Forward(feed.Current);
                    Assert.Equal(network.Output(0).ToArray(), known[0]);
                    float[] all = network.Values("l0").ToArray();
                    Assert.Equal([.. all.Chunk(7).SelectMany(row => (float[])[row[1], row[4], row[6]])], known[1]);
                }
            }

            Assert.Equal(0, kept.Once.Batches);
        }
    }

    [Fact]
    public void A_batch_known_in_part_is_asked_about_and_nothing_is_counted_twice()
    {
        using HostBackend host = new(1);
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [6], Readout.Last);
        NormalData data = new(10, 3, 3);
        using Teacher teacher = new(network, data, 4, [("l0", [2])]);
        using DeviceBatches feed = new(data, host, 4);
        feed.Next(); // 0 to 3
        teacher.See(feed);
        float[] first = teacher.State(0).ToArray();
        for (int epoch = 0; epoch < 4; epoch++)
        {
            feed.RestartShuffled(1, epoch);
            while (feed.Next()) teacher.See(feed);
        }

        feed.Restart();
        feed.Next();
        teacher.See(feed);
        Assert.Equal(first, teacher.State(0).ToArray());
    }

    [Fact]
    public void Streams_are_asked_about_in_their_order()
    {
        using HostBackend host = new(1);
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [10]);
        using Teacher teacher = new(network, new TokenData(20, 6, 7, isStream: true), 4, []);
        Assert.False(teacher.Keeps);
        Assert.Equal(0, teacher.Once.Batches);
    }

    private static float[][] Answers(Teacher teacher) => [teacher.Output(0).ToArray(), teacher.State(0).ToArray(), teacher.State(1).ToArray()];
}
