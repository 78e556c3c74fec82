using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>Who ends what: a device that cannot be had leaves nothing behind, and what one backend made no other takes.</summary>
public sealed class OwnershipTests
{
    [Theory]
    [InlineData(ProductBackend.Cublas)]
    [InlineData(ProductBackend.CublasTf32)]
    [InlineData(ProductBackend.KernelsTf32)]
    public void A_device_that_cannot_be_had_as_asked_gives_its_accelerator_back(ProductBackend blas)
    {
        IlgpuDevice simulator = IlgpuDevices.All.Single(device => device.Info.Id == "ilgpu-cpu");
        Accelerator accelerator = simulator.Device.CreateAccelerator(IlgpuDevices.Context);

        Assert.Throws<InvalidCallException>(() => new IlgpuBackend(simulator.Info, accelerator, blas: blas));

        Assert.True(accelerator.IsDisposed);
    }

    [Fact]
    public void A_device_takes_its_compiler_along()
    {
        IlgpuDevice simulator = IlgpuDevices.All.Single(device => device.Info.Id == "ilgpu-cpu");
        IlgpuBackend backend = new(simulator.Info, simulator.Device.CreateAccelerator(IlgpuDevices.Context));
        GpuSpectralRnn.Kernels.SourceOrderCompiler compiler = backend.Loader.Compiler;

        backend.Dispose();
        backend.Dispose();

        Assert.Throws<ObjectDisposedException>(() => compiler.Compile(null!, default, CudaArchitecture.SM_80, null!, default));
    }

    [Fact]
    public void Elements_that_a_walks_last_stride_cannot_pass_are_refused()
    {
        using IlgpuBackend backend = (IlgpuBackend)Devices.Open("ilgpu-cpu");
        MemoryBuffer small = backend.AllocateBuffer(1, sizeof(float), "large memory, pretended");
        using Tensor large = new(new IlgpuStorage(backend, ElementType.Float32, int.MaxValue, small), new Shape(int.MaxValue));

        Assert.Contains("smaller", Assert.Throws<InvalidCallException>(() => backend.Count(large)).Message);
        Assert.Equal(1 << 30, backend.Count(large.View(0, 1 << 30)));
    }

    [Theory]
    [InlineData("host", "host")]
    [InlineData("ilgpu-cpu", "ilgpu-cpu")]
    [InlineData("host", "ilgpu-cpu")]
    [InlineData("ilgpu-cpu", "host")]
    public void Totals_and_workspaces_of_another_backend_or_disposed_are_refused_alike(string id, string otherId)
    {
        using IBackend backend = Devices.Open(id, threads: 1), other = Devices.Open(otherId, threads: 1);
        using Tensor x = backend.Allocate(new Shape(2, 1, 3)), y = backend.Allocate(new Shape(2, 1, 3)), bias = backend.Allocate(new Shape(3));
        using Tensor w = backend.Allocate(new Shape(3, 3)), v = backend.Allocate(new Shape(3, 3)), foreign = other.Allocate(new Shape(2, 1, 3));
        RecurrentWeights weights = new(w, v, bias, bias);
        RecurrentShape shape = new(CellKind.RnnTanh, 2, 1, 3, 3);
        using LossTotals foreignTotals = other.Loss.CreateTotals();
        LossTotals endedTotals = backend.Loss.CreateTotals();
        endedTotals.Dispose();
        using RecurrentWorkspace foreignWorkspace = other.Recurrent.Prepare(shape, false);
        RecurrentWorkspace endedWorkspace = backend.Recurrent.Prepare(shape, false);
        endedWorkspace.Dispose();

        Assert.Throws<InvalidOperationException>(() => backend.Loss.MeanSquaredError(new(x, y, 1, null, foreignTotals)));
        Assert.Throws<ObjectDisposedException>(() => backend.Loss.MeanSquaredError(new(x, y, 1, null, endedTotals)));
        Assert.Throws<InvalidOperationException>(() => backend.Recurrent.Forward(new(foreignWorkspace, weights, x, null, y)));
        Assert.Throws<ObjectDisposedException>(() => backend.Recurrent.Forward(new(endedWorkspace, weights, x, null, y)));
        Assert.Throws<InvalidOperationException>(() => backend.Fill(foreign, 1));
    }
}
