using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime.CPU;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>Second moments as real devices sum them, in slices of the rows, on a simulator that is launched like one.</summary>
public abstract class SlicedGramTests : GramTests
{
    private readonly Context context;

    protected SlicedGramTests(bool hasFloat64, int members = 16)
    {
        context = Context.Create(builder => builder.CPU(new CPUDevice(members / 4, 4, 1)));
        KernelLoader loader = new(context.CreateCPUAccelerator(0), isSimulator: false);
        Backend = Own(new IlgpuBackend(new DeviceInfo("sliced", "simulator, in slices", 1 << 30, hasFloat64), loader));
        Own(context);
    }

    protected override IBackend Backend { get; }
}

public sealed class SlicedDoubleGramTests() : SlicedGramTests(hasFloat64: true);

/// <summary>In blocks through shared memory, by groups of 256.</summary>
public sealed class BlockedGramTests() : SlicedGramTests(hasFloat64: true, members: 256);

/// <summary>As on a device without double precision: pairs of singles.</summary>
public sealed class SlicedPairGramTests() : SlicedGramTests(hasFloat64: false)
{
    [Fact]
    public void Eigenvalues_ask_for_double_precision() =>
        Assert.Throws<InvalidCallException>(() => Backend.Spectral.SymmetricEigen(1, [1], new double[1], new double[1]));
}
