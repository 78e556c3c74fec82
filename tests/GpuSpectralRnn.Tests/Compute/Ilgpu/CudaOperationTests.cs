#if ILGPU_PACKAGE
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

// The tests of every operation, on the first CUDA device.
public sealed class CudaDevice() : DeviceFixture("cuda:0");

[CollectionDefinition("cuda:0")]
public class CudaCollection : ICollectionFixture<CudaDevice>;

[Collection("cuda:0")]
public class CudaGemmTests(CudaDevice device) : GemmTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaLinearTests(CudaDevice device) : LinearTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaSumsTests(CudaDevice device) : SumsTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaEmbeddingTests(CudaDevice device) : EmbeddingTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaElmanLayerTests(CudaDevice device) : ElmanLayerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaRecurrentLayerTests(CudaDevice device) : RecurrentLayerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaLossTests(CudaDevice device) : LossTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaOptimizerTests(CudaDevice device) : OptimizerTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaRandomTests(CudaDevice device) : RandomTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaGramTests(CudaDevice device) : GramTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaSymmetricEigenTests(CudaDevice device) : SymmetricEigenTests
{
    protected override IBackend Backend => device.Backend;
}

[Collection("cuda:0")]
public class CudaTransferTests(CudaDevice device) : TransferTests
{
    protected override IBackend Backend => device.Backend;
}
#endif
