using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using ILGPU;
using ILGPU.Runtime.CPU;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>
/// Recurrent layers whose kernels walk all steps in one launch, on a simulator that is launched like a device. Real barriers between hundreds of threads
/// are slow there: few steps, few sequences.
/// </summary>
public abstract class PersistentLayerTests : RecurrentLayerChecks
{
    private readonly Context context;
    private readonly IlgpuBackend backend;

    protected PersistentLayerTests(CPUDevice device)
    {
        context = Context.Create(builder => builder.CPU(device));
        KernelLoader loader = new(context.CreateCPUAccelerator(0), isSimulator: false);
        backend = Own(new IlgpuBackend(new DeviceInfo("wide", "wide simulator", 1 << 30, HasFloat64: true), loader, RecurrentKernels.Persistent));
        Own(context);
    }

    /// <summary>Every cell, both directions, with and without lengths.</summary>
    public static TheoryData<CellKind, bool, bool> Kinds => RecurrentLayerTests.Kinds;

    protected override IBackend Backend => backend;

    // One step; odd batches around the sequences of a group; odd widths, which are padded; a width whose last columns lie in shared memory.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_the_definition(CellKind cell, bool isReverse, bool hasLengths)
    {
        foreach ((int t, int b, int i, int h) in new[] { (1, 1, 1, 1), (3, 5, 2, 7), (2, 3, 1, 33), (4, 2, 3, 42) })
        {
            RecurrentShape shape = new(cell, t, b, i, h) { IsReverse = isReverse };
            ReferenceLayer problem = new(shape, seed: 71, hasInitial: h % 2 == 1, hasLengths);
            Check(problem, shape, t / 2, problem.Backward(t / 2));
        }
    }

    [Theory]
    [InlineData(CellKind.RnnRelu, 130)] // 4 quads in registers, 1 in shared memory
    [InlineData(CellKind.RnnTanh, 128)]
    [InlineData(CellKind.Lstm, 65)] // 1 quad in shared memory each way
    [InlineData(CellKind.Gru, 72)]
    public void Agrees_at_the_sizes_of_use(CellKind cell, int hidden)
    {
        RecurrentShape shape = new(cell, 2, 3, 2, hidden);
        ReferenceLayer problem = new(shape, seed: 72, hasInitial: true, hasLengths: false);
        Check(problem, shape, 0, problem.Backward(0));
    }
}

/// <summary>Sums exchanged by shuffles, as on CUDA.</summary>
public sealed class PersistentShuffleTests() : PersistentLayerTests(new CPUDevice(numThreadsPerWarp: 32, numWarpsPerMultiprocessor: 16, numMultiprocessors: 1));

/// <summary>Sums exchanged through shared memory, as on OpenCL devices: warps too narrow to shuffle.</summary>
public sealed class PersistentSharedTests() : PersistentLayerTests(new CPUDevice(numThreadsPerWarp: 8, numWarpsPerMultiprocessor: 64, numMultiprocessors: 1));
