using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>
/// A device that grants groups of 8 threads at most, fewer than any kernel asks for, and refuses to launch larger ones: as on OpenCL devices with
/// small groups, kernels must be launched in groups that the device grants, or others be taken.
/// </summary>
public sealed class SmallGroupDevice() : DeviceFixture("small groups", () => WideSimulator.Open(threadsOfWarp: 4, warps: 2, RecurrentKernels.Auto));

[CollectionDefinition("small groups")]
public class SmallGroupCollection : ICollectionFixture<SmallGroupDevice>;

[Collection("small groups")]
public class SmallGroupGemmTests(SmallGroupDevice device) : GemmTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("small groups")]
public class SmallGroupRecurrentLayerTests(SmallGroupDevice device) : RecurrentLayerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("small groups")]
public class SmallGroupLossTests(SmallGroupDevice device) : LossTests
{
    protected override IBackend Backend => device.Backend;
}
