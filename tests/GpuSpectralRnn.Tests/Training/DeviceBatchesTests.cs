using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>Batches on the device, in one place or in two that are filled in turn while the device works.</summary>
public sealed class DeviceBatchesTests : IDisposable
{
    private readonly DeferredLane lane = new();
    private readonly IlgpuBackend withLane;
    private readonly IlgpuBackend without;
    private readonly TemporaryFolder folder = new();

    public DeviceBatchesTests()
    {
        withLane = Open(lane);
        without = Open(null);
    }

    public void Dispose()
    {
        withLane.Dispose();
        without.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_device_that_copies_in_line_with_its_work_has_one_place()
    {
        using IBackend host = new HostBackend();
        Assert.Null(host.Uploads);
        using DeviceBatches feed = new(new ToyData(8), host, 4);
        feed.Next();
        Tensor first = feed.Current[0].Values;
        feed.Next();
        Assert.Same(first, feed.Current[0].Values);
    }

    [Fact]
    public void What_the_properties_say_belongs_to_the_batch_on_the_device()
    {
        TokenData data = new(17, 5, 7, isStream: false); // 4 + 4 + 4 + 4 + 1 sequences of 1 to 5 tokens
        using DeviceBatches feed = new(data, withLane, 4);
        Tensor? before = null;
        for (int pass = 0; pass < 2; pass++)
        {
            feed.RestartShuffled(3, pass, skip: pass);
            for (int n = pass; feed.Next(); n++)
            {
                Tensor inputs = feed.Current[0].Values;
                Assert.Equal(n < 4 ? 4 : 1, feed.Size);
                Assert.NotSame(before, inputs);
                before = inputs;
                int[] tokens = inputs.ToArray<int>();
                int[] labels = feed.Targets[0].ToArray<int>();
                if (feed.Current[0].Lengths is { } lengths) Assert.Equal(feed.Lengths().ToArray(), lengths.ToArray<int>());
                else Assert.All(feed.Lengths().ToArray(), length => Assert.Equal(5, length));
                for (int b = 0; b < feed.Size; b++)
                {
                    int number = feed.Numbers[b];
                    Assert.Equal(data.LengthOf(number), feed.Lengths()[b]);
                    for (int t = 0; t < feed.Lengths()[b]; t++) Assert.Equal(data.TokenOf(number, t), tokens[t * feed.Size + b]);
                }

                Assert.Equal(feed.ValidSteps(), labels.Count(label => label >= 0));
                Assert.Equal(feed.CountedRows(), feed.ValidSteps());
            }
        }

        Assert.Equal(5 + 4, lane.Turns);
    }

    // The evaluation between two epochs takes its turns on the same lane.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Training_has_the_same_bits_with_one_place_and_with_two(bool isStream)
    {
        TokenData data = new(14, 6, 7, isStream), watched = new(7, 6, 7, isStream);
        (float[] two, TrainingResult ofTwo) = Train(withLane, data, watched, stopAfter: 0);
        (float[] one, TrainingResult ofOne) = Train(without, data, watched, stopAfter: 0);

        Assert.Equal(one, two);
        Assert.Equal(ofOne.Validation, ofTwo.Validation);
        Assert.Equal(2 * (5 + 3), lane.Turns);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stopped_inside_an_epoch_and_resumed_it_has_the_same_bits(bool isStream)
    {
        TokenData data = new(14, 6, 7, isStream);
        Assert.Equal(Train(without, data, null, stopAfter: 0).Weights, Train(withLane, data, null, stopAfter: 7).Weights);
    }

    private static IlgpuBackend Open(IUploadLane? lane)
    {
        IlgpuDevice simulator = IlgpuDevices.All.First(device => device.Info.Id == "ilgpu-cpu");
        return new IlgpuBackend(simulator.Info, simulator.Device.CreateAccelerator(IlgpuDevices.Context)) { Uploads = lane };
    }

    // 14 sequences or windows in batches of 3: five steps an epoch.
    private (float[] Weights, TrainingResult Result) Train(IBackend backend, ISequenceData data, ISequenceData? watched, int stopAfter)
    {
        TrainingSettings settings = new() { Epochs = 2, BatchSize = 3, LearningRate = 0.02, Seed = 9, Dropout = 0.2 };
        string path = folder.File($"{Guid.NewGuid()}.ckpt");
        if (stopAfter > 0)
        {
            using Network stopped = TestNetworks.MakeLanguageModel(backend, Cell.Gru, [5]);
            using CancellationTokenSource source = new();
            using Trainer first = new(stopped, new Counted(data, stopAfter, source), null, settings) { CheckpointPath = path };
            Assert.True(first.Run(source.Token).IsCancelled);
        }

        using Network network = TestNetworks.MakeLanguageModel(backend, Cell.Gru, [5]);
        using Trainer trainer = new(network, data, watched, settings);
        if (stopAfter > 0) trainer.Restore(Checkpoint.Load(path));
        TrainingResult result = trainer.Run();
        return (network.Parameters.Values.ToArray(), result);
    }

    /// <summary>Cancels while it is read for the n-th time.</summary>
    private sealed class Counted(ISequenceData data, int reads, CancellationTokenSource source) : ISequenceData
    {
        private int count;

        public string Name => data.Name;

        public int Count => data.Count;

        public SequenceLayout Layout => data.Layout;

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            data.Read(indices, batch);
            if (++count == reads) source.Cancel();
        }
    }
}
