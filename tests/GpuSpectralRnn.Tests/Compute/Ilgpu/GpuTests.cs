#if !ILGPU_PACKAGE
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

public class GpuTests
{
    [SkippableFact]
    public void Operations_on_CUDA_and_OpenCL() =>
        Skip.If(true, "This build has the stand-in for ILGPU, which reaches no GPU: the operations were not tested there.");
}
#endif
