using GpuSpectralRnn.Tests.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Graphs;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute;

// The tests of every operation on every device: a class for each pair, as xunit wants it. Classes of a collection share its device and run one after
// the other: PoCL 3.1 crashed once with several contexts at work.
[CollectionDefinition("ilgpu-cpu")]
public class IlgpuCpuCollection : ICollectionFixture<IlgpuCpuDevice>;

[CollectionDefinition("small groups")]
public class SmallGroupCollection : ICollectionFixture<SmallGroupDevice>;

[CollectionDefinition("wide simulator")]
public class WideCollection : ICollectionFixture<WideDevice>;

[CollectionDefinition("opencl:0")]
public class OpenClCollection : ICollectionFixture<OpenClDevice>;

[CollectionDefinition("cuda:0")]
public class CudaCollection : ICollectionFixture<CudaDevice>;

public class HostGemmTests(HostDevice device) : GemmTests(device), IClassFixture<HostDevice>;
public class HostLinearTests(HostDevice device) : LinearTests(device), IClassFixture<HostDevice>;
public class HostSumsTests(HostDevice device) : SumsTests(device), IClassFixture<HostDevice>;
public class HostElementwiseTests(HostDevice device) : ElementwiseTests(device), IClassFixture<HostDevice>;
public class HostGateTests(HostDevice device) : GateTests(device), IClassFixture<HostDevice>;
public class HostScaledColumnsTests(HostDevice device) : ScaledColumnsTests(device), IClassFixture<HostDevice>;
public class HostRowGroupTests(HostDevice device) : RowGroupTests(device), IClassFixture<HostDevice>;
public class HostEmbeddingTests(HostDevice device) : EmbeddingTests(device), IClassFixture<HostDevice>;
public class HostConvolveMaxTests(HostDevice device) : ConvolveMaxTests(device), IClassFixture<HostDevice>;
public class HostSoftmaxOverStepsTests(HostDevice device) : SoftmaxOverStepsTests(device), IClassFixture<HostDevice>;
public class HostStepRowsTests(HostDevice device) : StepRowsTests(device), IClassFixture<HostDevice>;
public class HostAttentionTests(HostDevice device) : AttentionTests(device), IClassFixture<HostDevice>;
public class HostRecurrentLayerTests(HostDevice device) : RecurrentLayerTests(device), IClassFixture<HostDevice>;
public class HostLossTests(HostDevice device) : LossTests(device), IClassFixture<HostDevice>;
public class HostOptimizerTests(HostDevice device) : OptimizerTests(device), IClassFixture<HostDevice>;
public class HostRandomTests(HostDevice device) : RandomTests(device), IClassFixture<HostDevice>;
public class HostGramTests(HostDevice device) : GramTests(device), IClassFixture<HostDevice>;
public class HostSymmetricEigenTests(HostDevice device) : SymmetricEigenTests(device), IClassFixture<HostDevice>;
public class HostExpansionTests(HostDevice device) : ExpansionTests(device), IClassFixture<HostDevice>;
public class HostTransferTests(HostDevice device) : TransferTests(device), IClassFixture<HostDevice>;

[Collection("ilgpu-cpu")] public class IlgpuCpuGemmTests(IlgpuCpuDevice device) : GemmTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuLinearTests(IlgpuCpuDevice device) : LinearTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuSumsTests(IlgpuCpuDevice device) : SumsTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuElementwiseTests(IlgpuCpuDevice device) : ElementwiseTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuGateTests(IlgpuCpuDevice device) : GateTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuScaledColumnsTests(IlgpuCpuDevice device) : ScaledColumnsTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuRowGroupTests(IlgpuCpuDevice device) : RowGroupTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuEmbeddingTests(IlgpuCpuDevice device) : EmbeddingTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuConvolveMaxTests(IlgpuCpuDevice device) : ConvolveMaxTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuSoftmaxOverStepsTests(IlgpuCpuDevice device) : SoftmaxOverStepsTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuStepRowsTests(IlgpuCpuDevice device) : StepRowsTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuAttentionTests(IlgpuCpuDevice device) : AttentionTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuRecurrentLayerTests(IlgpuCpuDevice device) : RecurrentLayerTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuSkippingLayerTests(IlgpuCpuSkippingDevice device) : RecurrentLayerTests(device),
    IClassFixture<IlgpuCpuSkippingDevice>;
[Collection("ilgpu-cpu")] public class IlgpuCpuLossTests(IlgpuCpuDevice device) : LossTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuOptimizerTests(IlgpuCpuDevice device) : OptimizerTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuRandomTests(IlgpuCpuDevice device) : RandomTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuGramTests(IlgpuCpuDevice device) : GramTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuSymmetricEigenTests(IlgpuCpuDevice device) : SymmetricEigenTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuExpansionTests(IlgpuCpuDevice device) : ExpansionTests(device);
[Collection("ilgpu-cpu")] public class IlgpuCpuTransferTests(IlgpuCpuDevice device) : TransferTests(device);

[Collection("small groups")] public class SmallGroupGemmTests(SmallGroupDevice device) : GemmTests(device);
[Collection("small groups")] public class SmallGroupRecurrentLayerTests(SmallGroupDevice device) : RecurrentLayerTests(device);
[Collection("small groups")] public class SmallGroupLossTests(SmallGroupDevice device) : LossTests(device);

[Collection("wide simulator")] public class WideGramTests(WideDevice device) : GramTests(device);

public class SlicedGramTests(SlicedDevice device) : GramTests(device), IClassFixture<SlicedDevice>;
public class SlicedPairGramTests(SlicedPairDevice device) : GramTests(device), IClassFixture<SlicedPairDevice>
{
    [Fact]
    public void Eigenvalues_ask_for_double_precision() =>
        Assert.Throws<InvalidCallException>(() => Backend.Spectral.SymmetricEigen(new(1, [1], new double[1], new double[1])));
}

[Collection("opencl:0")] public class OpenClGemmTests(OpenClDevice device) : GemmTests(device);
[Collection("opencl:0")] public class OpenClLinearTests(OpenClDevice device) : LinearTests(device);
[Collection("opencl:0")] public class OpenClSumsTests(OpenClDevice device) : SumsTests(device);
[Collection("opencl:0")] public class OpenClElementwiseTests(OpenClDevice device) : ElementwiseTests(device);
[Collection("opencl:0")] public class OpenClGateTests(OpenClDevice device) : GateTests(device);
[Collection("opencl:0")] public class OpenClScaledColumnsTests(OpenClDevice device) : ScaledColumnsTests(device);
[Collection("opencl:0")] public class OpenClRowGroupTests(OpenClDevice device) : RowGroupTests(device);
[Collection("opencl:0")] public class OpenClEmbeddingTests(OpenClDevice device) : EmbeddingTests(device);
[Collection("opencl:0")] public class OpenClConvolveMaxTests(OpenClDevice device) : ConvolveMaxTests(device);
[Collection("opencl:0")] public class OpenClSoftmaxOverStepsTests(OpenClDevice device) : SoftmaxOverStepsTests(device);
[Collection("opencl:0")] public class OpenClStepRowsTests(OpenClDevice device) : StepRowsTests(device);
[Collection("opencl:0")] public class OpenClAttentionTests(OpenClDevice device) : AttentionTests(device);
[Collection("opencl:0")] public class OpenClRecurrentLayerTests(OpenClDevice device) : RecurrentLayerTests(device);
[Collection("opencl:0")] public class OpenClLossTests(OpenClDevice device) : LossTests(device);
[Collection("opencl:0")] public class OpenClOptimizerTests(OpenClDevice device) : OptimizerTests(device);
[Collection("opencl:0")] public class OpenClRandomTests(OpenClDevice device) : RandomTests(device);
[Collection("opencl:0")] public class OpenClGramTests(OpenClDevice device) : GramTests(device);
[Collection("opencl:0")] public class OpenClSymmetricEigenTests(OpenClDevice device) : SymmetricEigenTests(device);
[Collection("opencl:0")] public class OpenClExpansionTests(OpenClDevice device) : ExpansionTests(device);
[Collection("opencl:0")] public class OpenClTransferTests(OpenClDevice device) : TransferTests(device);
[Collection("opencl:0")]
public class OpenClBlocksGemmTests(OpenClBlocksDevice device) : GemmTests(device), IClassFixture<OpenClBlocksDevice>;
[Collection("opencl:0")]
public class OpenClBlocksGramTests(OpenClBlocksDevice device) : GramTests(device), IClassFixture<OpenClBlocksDevice>;
[Collection("opencl:0")]
public class OpenClSkippingLayerTests(OpenClSkippingDevice device) : RecurrentLayerTests(device), IClassFixture<OpenClSkippingDevice>;
[Collection("opencl:0")]
public class OpenClSlicedLayerTests(OpenClSlicedDevice device) : RecurrentLayerTests(device), IClassFixture<OpenClSlicedDevice>;
[Collection("opencl:0")]
public class OpenClPersistentLayerTests(OpenClPersistentDevice device)
    : PersistentLayerTests(device), IClassFixture<OpenClPersistentDevice>;

[Collection("cuda:0")] public class CudaGemmTests(CudaDevice device) : GemmTests(device);
[Collection("cuda:0")] public class CudaLinearTests(CudaDevice device) : LinearTests(device);
[Collection("cuda:0")] public class CudaSumsTests(CudaDevice device) : SumsTests(device);
[Collection("cuda:0")] public class CudaElementwiseTests(CudaDevice device) : ElementwiseTests(device);
[Collection("cuda:0")] public class CudaGateTests(CudaDevice device) : GateTests(device);
[Collection("cuda:0")] public class CudaScaledColumnsTests(CudaDevice device) : ScaledColumnsTests(device);
[Collection("cuda:0")] public class CudaRowGroupTests(CudaDevice device) : RowGroupTests(device);
[Collection("cuda:0")] public class CudaEmbeddingTests(CudaDevice device) : EmbeddingTests(device);
[Collection("cuda:0")] public class CudaConvolveMaxTests(CudaDevice device) : ConvolveMaxTests(device);
[Collection("cuda:0")] public class CudaSoftmaxOverStepsTests(CudaDevice device) : SoftmaxOverStepsTests(device);
[Collection("cuda:0")] public class CudaStepRowsTests(CudaDevice device) : StepRowsTests(device);
[Collection("cuda:0")] public class CudaAttentionTests(CudaDevice device) : AttentionTests(device);
[Collection("cuda:0")] public class CudaRecurrentLayerTests(CudaDevice device) : RecurrentLayerTests(device);
[Collection("cuda:0")] public class CudaLossTests(CudaDevice device) : LossTests(device);
[Collection("cuda:0")] public class CudaOptimizerTests(CudaDevice device) : OptimizerTests(device);
[Collection("cuda:0")] public class CudaRandomTests(CudaDevice device) : RandomTests(device);
[Collection("cuda:0")] public class CudaGramTests(CudaDevice device) : GramTests(device);
[Collection("cuda:0")] public class CudaSymmetricEigenTests(CudaDevice device) : SymmetricEigenTests(device);
[Collection("cuda:0")] public class CudaExpansionTests(CudaDevice device) : ExpansionTests(device);
[Collection("cuda:0")] public class CudaTransferTests(CudaDevice device) : TransferTests(device);
public class CudaKernelsGemmTests(CudaKernelsDevice device) : GemmTests(device), IClassFixture<CudaKernelsDevice>;
public class CudaCuBlasGemmTests(CuBlasDevice device) : GemmTests(device), IClassFixture<CuBlasDevice>;
public class CudaSkippingLayerTests(CudaSkippingDevice device) : RecurrentLayerTests(device), IClassFixture<CudaSkippingDevice>;
public class CudaStepwiseLayerTests(CudaStepwiseDevice device) : RecurrentLayerTests(device), IClassFixture<CudaStepwiseDevice>;
