using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Tests.Training;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>A training step on CUDA, its layers step by step as graphs.</summary>
public sealed class CudaStepwiseMemoryTests(CudaStepwiseDevice device) : StepMemoryTests(device), IClassFixture<CudaStepwiseDevice>
{
    // The run's own state, one record a step.
    protected override long MostBytes => 512;
}

/// <summary>A training step on CUDA as it is by default.</summary>
[Collection("cuda:0")]
public sealed class CudaStepMemoryTests(CudaDevice device) : StepMemoryTests(device)
{
    protected override long MostBytes => 512;
}

public sealed class CudaDeviceMemoryTests : DeviceMemoryTests
{
    // And partial products where a product alone would leave multiprocessors idle, as those of these small networks do.
    protected override long KernelsOwn => 1 << 20;

    protected override IlgpuBackend Open()
    {
        IlgpuDevice? cuda = IlgpuDevices.All.FirstOrDefault(device => device.Info.Id == "cuda:0");
        Skip.If(cuda is null, "This machine has no cuda:0.");
        return new IlgpuBackend(cuda!.Info, cuda.Device.CreateAccelerator(IlgpuDevices.Context));
    }
}
