#if ILGPU_PACKAGE
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Training;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>A training step on CUDA, its layers step by step as graphs.</summary>
public sealed class CudaStepwiseMemoryTests(CudaStepwiseDevice device) : StepMemoryTests, IClassFixture<CudaStepwiseDevice>
{
    protected override IBackend Backend => device.Backend;

    // The run's own state, one record a step.
    protected override long MostBytes => 512;
}

/// <summary>A training step on CUDA as it is by default.</summary>
[Collection("cuda:0")]
public sealed class CudaStepMemoryTests(CudaDevice device) : StepMemoryTests
{
    protected override IBackend Backend => device.Backend;

    protected override long MostBytes => 512;
}
#endif
