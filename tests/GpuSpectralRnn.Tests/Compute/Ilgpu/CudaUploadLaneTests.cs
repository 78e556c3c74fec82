using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Tests.Training;
using GpuSpectralRnn.Training;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>On CUDA: batches that travel beside the work are those that the work sees.</summary>
[Collection("cuda:0")]
public sealed class CudaUploadLaneTests(CudaDevice device)
{
    // Products behind each other keep the device busy for longer than a copy takes; were the streams not ordered, the later batches would be in their
    // places too soon.
    [SkippableFact]
    public void A_batch_stays_until_the_work_on_it_is_done()
    {
        IBackend backend = device.Backend;
        Assert.NotNull(backend.Uploads);
        const int Batches = 24, Size = 8, Order = 96;
        ToyData data = new(Batches * Size, TargetKind.Label, steps: 40);
        using Tensor busy = backend.Allocate(new Shape(Order, Order));
        using Tensor result = backend.Allocate(new Shape(Order, Order));
        using Tensor seen = backend.Allocate(new Shape(Batches, 40 * Size * 2));
        using DeviceBatches feed = new(data, backend, Size);
        List<float[]> sent = [];
        Batch copy = new(data.Layout, Size);
        for (int n = 0; feed.Next(); n++)
        {
            for (int i = 0; i < 4; i++) backend.Matrix.Gemm(new(false, false, 1, busy, busy, 0, result));
            backend.Copy(feed.Current[0].Values.Reshape(40 * Size * 2), seen.Slice(n));
            data.Read(feed.Numbers, copy);
            sent.Add(copy.Inputs.ToArray());
        }

        float[] arrived = seen.ToArray();
        for (int n = 0; n < Batches; n++) Assert.Equal(sent[n], arrived.AsSpan(n * sent[n].Length, sent[n].Length).ToArray());
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Training_has_the_same_bits_without_a_lane(bool isStream)
    {
        float[] beside = Train(device.Backend, isStream);
        IlgpuDevice cuda = IlgpuDevices.All.First(device => device.Info.Id == "cuda:0");
        using IlgpuBackend inLine = new(cuda.Info, cuda.Device.CreateAccelerator(IlgpuDevices.Context)) { Uploads = null };

        Assert.Equal(Train(inLine, isStream), beside);
    }

    private static float[] Train(IBackend backend, bool isStream)
    {
        using Network network = TestNetworks.MakeLanguageModel(backend, Cell.Lstm, [9, 5]);
        TrainingSettings settings = new() { Epochs = 3, BatchSize = 3, LearningRate = 0.01, Seed = 3 };
        using Trainer trainer = new(network, new TokenData(30, 12, 7, isStream), new TokenData(10, 12, 7, isStream), settings);
        trainer.Run();
        return network.Parameters.Values.ToArray();
    }
}
