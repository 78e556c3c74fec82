using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

// The tests of every operation, on ILGPU's simulator.
public sealed class IlgpuCpuDevice() : DeviceFixture("ilgpu-cpu");

[CollectionDefinition("ilgpu-cpu")]
public class IlgpuCpuCollection : ICollectionFixture<IlgpuCpuDevice>;

[Collection("ilgpu-cpu")]
public class IlgpuCpuGemmTests(IlgpuCpuDevice device) : GemmTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuLinearTests(IlgpuCpuDevice device) : LinearTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuSumsTests(IlgpuCpuDevice device) : SumsTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuEmbeddingTests(IlgpuCpuDevice device) : EmbeddingTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuElmanLayerTests(IlgpuCpuDevice device) : ElmanLayerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuRecurrentLayerTests(IlgpuCpuDevice device) : RecurrentLayerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuLossTests(IlgpuCpuDevice device) : LossTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuOptimizerTests(IlgpuCpuDevice device) : OptimizerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuRandomTests(IlgpuCpuDevice device) : RandomTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuGramTests(IlgpuCpuDevice device) : GramTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuSymmetricEigenTests(IlgpuCpuDevice device) : SymmetricEigenTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("ilgpu-cpu")]
public class IlgpuCpuTransferTests(IlgpuCpuDevice device) : TransferTests
{
    protected override IBackend Backend => device.Backend;
}
