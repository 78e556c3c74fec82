using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>On CUDA: what is repeated as a graph gives the same bits as launch by launch.</summary>
public sealed class CudaGraphTests(CudaStepwiseDevice device) : IClassFixture<CudaStepwiseDevice>
{
    // Lengths come and go, the last batch is smaller, weights and states change under the graphs.
    [SkippableTheory]
    [InlineData(Cell.Irnn, false)]
    [InlineData(Cell.Lstm, false)]
    [InlineData(Cell.Lstm, true)]
    [InlineData(Cell.Gru, true)]
    public void Training_gives_the_same_bits(Cell cell, bool isStream)
    {
        (float[] replayed, long launched) = Train(device.Backend, cell, isStream);
        using IBackend plain = Devices.Open("cuda:0", kernels: RecurrentStrategy.Stepwise, usesGraphs: false);
        (float[] launchByLaunch, long none) = Train(plain, cell, isStream);

        Assert.Equal(launchByLaunch, replayed);
        Assert.True(launched > 20, $"{launched} graphs were launched");
        Assert.Equal(0, none);
    }

    [SkippableFact]
    public void Eigenvalues_have_the_same_bits()
    {
        const int Order = 48;
        double[] matrix = RandomMatrix.Symmetric(Order, 7).Data;
        (double[] values, double[] vectors) = Eigen(device.Backend, Order, matrix);
        using IBackend plain = Devices.Open("cuda:0", usesGraphs: false);
        (double[] plainValues, double[] plainVectors) = Eigen(plain, Order, matrix);

        Assert.Equal(plainValues, values);
        Assert.Equal(plainVectors, vectors);
        Assert.True(LaunchGraphsOf(device.Backend) > 2);
    }

    private static (double[] Values, double[] Vectors) Eigen(IBackend backend, int order, double[] matrix)
    {
        double[] values = new double[order];
        double[] vectors = new double[order * order];
        backend.Spectral.SymmetricEigen(new(order, matrix, values, vectors));
        return (values, vectors);
    }

    private static (float[] Weights, long Launched) Train(IBackend backend, Cell cell, bool isStream)
    {
        long before = LaunchGraphsOf(backend);
        using Network network = TestNetworks.MakeLanguageModel(backend, cell, [9, 5]);
        TrainingSettings settings = new() { Epochs = 4, BatchSize = 3, LearningRate = 0.01, Seed = 3 };
        using Trainer trainer = new(network, new TokenData(isStream ? 30 : 14, 12, 7, isStream), null, settings);
        trainer.Run();
        return (network.Parameters.Values.ToArray(), LaunchGraphsOf(backend) - before);
    }

    private static long LaunchGraphsOf(IBackend backend)
    {
        IlgpuBackend ilgpu = (IlgpuBackend)backend;
        Assert.Null(ilgpu.Graphs.Refusal);
        return ilgpu.Graphs.Launched;
    }
}
