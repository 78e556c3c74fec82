using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

// The tests of every operation, on the first CUDA device.
public sealed class CudaDevice() : DeviceFixture("cuda:0");

/// <summary>The same device, whose recurrent layers take all steps in one launch.</summary>
public sealed class CudaPersistentDevice() : DeviceFixture(
    "cuda:0",
    () => Devices.List().Any(device => device.Info.Id == "cuda:0") ? Devices.Open("cuda:0", kernels: RecurrentKernels.Persistent) : null);

/// <summary>The same device, whose recurrent layers take one launch a step.</summary>
public sealed class CudaStepwiseDevice() : DeviceFixture(
    "cuda:0",
    () => Devices.List().Any(device => device.Info.Id == "cuda:0") ? Devices.Open("cuda:0", kernels: RecurrentKernels.Stepwise) : null);

[CollectionDefinition("cuda:0")]
public class CudaCollection : ICollectionFixture<CudaDevice>;

[Collection("cuda:0")]
public class CudaGemmTests(CudaDevice device) : GemmTests
{
    protected override IBackend Backend => device.Backend;
}

// The products by NVIDIA's library, where it is.
public sealed class CuBlasDevice() : DeviceFixture("cuda:0 with cuBLAS", Open)
{
    private static IBackend? Open()
    {
        try
        {
            return Devices.Open("cuda:0", blas: BlasChoice.Cublas);
        }
        catch (InvalidCallException)
        {
            return null;
        }
    }
}

public class CudaCuBlasGemmTests(CuBlasDevice device) : GemmTests, IClassFixture<CuBlasDevice>
{
    protected override IBackend Backend => device.Backend;
}

// The products by our kernels, which the backend leaves to cuBLAS where they are large.
public sealed class CudaKernelsDevice() : DeviceFixture(
    "cuda:0", () => Devices.List().Any(device => device.Info.Id == "cuda:0") ? Devices.Open("cuda:0", blas: BlasChoice.Kernels) : null);

public class CudaKernelsGemmTests(CudaKernelsDevice device) : GemmTests, IClassFixture<CudaKernelsDevice>
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

public class CudaPersistentLayerTests(CudaPersistentDevice device) : PersistentLayerTests, IClassFixture<CudaPersistentDevice>
{
    protected override IBackend Backend => device.Backend;

    // A kernel that spills its weights is right, but several times slower. At the largest widths, 512 threads, the registers of a multiprocessor are
    // just enough: there the driver's compiler may put a few numbers aside.
    [SkippableTheory]
    [InlineData(CellKind.RnnRelu, 128, 0)]
    [InlineData(CellKind.RnnTanh, 128, 0)]
    [InlineData(CellKind.RnnRelu, 256, RecurrentCells.ToleratedSpill)]
    [InlineData(CellKind.Lstm, 64, 0)]
    [InlineData(CellKind.Lstm, 128, RecurrentCells.ToleratedSpill)]
    [InlineData(CellKind.Gru, 64, 0)]
    [InlineData(CellKind.Gru, 128, RecurrentCells.ToleratedSpill)]
    public void Weights_stay_in_registers(CellKind cell, int hidden, int mostSpilled)
    {
        RecurrentWorkspace? prepared = null;
        try
        {
            prepared = Backend.Recurrent.Prepare(new RecurrentShape(cell, 1, 1, 1, hidden), isTraining: true);
        }
        catch (InvalidCallException small)
        {
            Skip.If(true, small.Message); // devices with 64 KB of shared memory
        }

        using RecurrentWorkspace workspace = prepared!;
        Assert.InRange(((IlgpuRecurrentWorkspace)workspace).Cell.SpilledBytes, 0, mostSpilled);
    }
}

public class CudaStepwiseLayerTests(CudaStepwiseDevice device) : RecurrentLayerTests, IClassFixture<CudaStepwiseDevice>
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
