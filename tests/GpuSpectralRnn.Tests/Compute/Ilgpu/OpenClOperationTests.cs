using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

// The tests of every operation, on the first OpenCL device, or on PoCL. One class after the other: PoCL 3.1 crashed once with several
// contexts at work.
public sealed class OpenClDevice() : DeviceFixture(
    "opencl:0", () => Devices.List().Any(device => device.Info.Id == "opencl:0") ? Devices.Open("opencl:0") : PoclBackend.Open());

/// <summary>The same device, whose recurrent layers take all steps in one launch.</summary>
public sealed class OpenClPersistentDevice() : DeviceFixture(
    "opencl:0",
    () => Devices.List().Any(device => device.Info.Id == "opencl:0")
        ? Devices.Open("opencl:0", kernels: RecurrentKernels.Persistent)
        : PoclBackend.Open(kernels: RecurrentKernels.Persistent));

[CollectionDefinition("opencl:0")]
public class OpenClCollection : ICollectionFixture<OpenClDevice>;

// The kernels that exchange data through shared memory, which PoCL itself is better off without.
public sealed class OpenClBlocksDevice() : DeviceFixture("pocl", () => PoclBackend.Open(sharesMemory: true));

[Collection("opencl:0")]
public class OpenClBlocksGemmTests(OpenClBlocksDevice device) : GemmTests, IClassFixture<OpenClBlocksDevice>
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClBlocksGramTests(OpenClBlocksDevice device) : GramTests, IClassFixture<OpenClBlocksDevice>
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClGemmTests(OpenClDevice device) : GemmTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClLinearTests(OpenClDevice device) : LinearTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClSumsTests(OpenClDevice device) : SumsTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClEmbeddingTests(OpenClDevice device) : EmbeddingTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClElmanLayerTests(OpenClDevice device) : ElmanLayerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClRecurrentLayerTests(OpenClDevice device) : RecurrentLayerTests
{
    protected override IBackend Backend => device.Backend;
}

/// <summary>The same device, whose recurrent layers take one launch a step as graphics processors do.</summary>
public sealed class OpenClSlicedDevice() : DeviceFixture(
    "opencl:0",
    () => Devices.List().Any(device => device.Info.Id == "opencl:0")
        ? Devices.Open("opencl:0", kernels: RecurrentKernels.Stepwise)
        : PoclBackend.Open(sharesMemory: true, RecurrentKernels.Stepwise));

[Collection("opencl:0")]
public class OpenClSlicedLayerTests(OpenClSlicedDevice device) : RecurrentLayerTests, IClassFixture<OpenClSlicedDevice>
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClPersistentLayerTests(OpenClPersistentDevice device) : PersistentLayerTests, IClassFixture<OpenClPersistentDevice>
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClLossTests(OpenClDevice device) : LossTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClOptimizerTests(OpenClDevice device) : OptimizerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClRandomTests(OpenClDevice device) : RandomTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClGramTests(OpenClDevice device) : GramTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClSymmetricEigenTests(OpenClDevice device) : SymmetricEigenTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("opencl:0")]
public class OpenClTransferTests(OpenClDevice device) : TransferTests
{
    protected override IBackend Backend => device.Backend;
}
