using System.Numerics;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>
/// Recurrent layers whose kernels take all steps in one launch. Few steps and sequences: simulators need real barriers between the threads.
/// </summary>
public abstract class PersistentLayerTests(DeviceFixture? device) : RecurrentLayerChecks(device)
{
    /// <summary>Every cell, both directions, with and without lengths.</summary>
    public static TheoryData<CellKind, bool, bool> Kinds
    {
        get
        {
            TheoryData<CellKind, bool, bool> kinds = [];
            foreach (CellSpec cell in CellSpec.All.Where(cell => cell.Persistent is not null))
                foreach (bool isReverse in new[] { false, true })
                    foreach (bool hasLengths in new[] { false, true }) kinds.Add(cell.Kind, isReverse, hasLengths);
            return kinds;
        }
    }

    // Groups that are not full, and a width that is padded.
    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_the_definition(CellKind cell, bool isReverse, bool hasLengths)
    {
        RecurrentShape shape = new(cell, 3, 5, 2, 7) { IsReverse = isReverse };
        MakeRoom(shape);
        ReferenceLayer problem = new(shape, seed: 71, hasInitial: isReverse != hasLengths, hasLengths);
        Check(problem, shape, 1, problem.Backward(1));
    }

    // One step; weights in registers alone up to the last one; weights in shared memory, too, each way.
    [SkippableTheory]
    [InlineData(CellKind.RnnRelu, 1, 1)]
    [InlineData(CellKind.RnnTanh, 2, 42)]
    [InlineData(CellKind.RnnTanh, 2, 128)]
    [InlineData(CellKind.RnnRelu, 2, 130)]
    [InlineData(CellKind.Lstm, 1, 33)]
    [InlineData(CellKind.Lstm, 2, 65)]
    [InlineData(CellKind.Gru, 1, 33)]
    [InlineData(CellKind.Gru, 2, 96)]
    [InlineData(CellKind.RnnTanh, 25, 9)] // many steps
    [InlineData(CellKind.Lstm, 25, 9)]
    [InlineData(CellKind.Gru, 25, 9)]
    public void Agrees_at_every_split_of_the_weights(CellKind cell, int steps, int hidden)
    {
        RecurrentShape shape = new(cell, steps, 2, 2, hidden);
        MakeRoom(shape);
        ReferenceLayer problem = new(shape, seed: 72, hasInitial: true, hasLengths: false);
        Check(problem, shape, 0, problem.Backward(0));
    }

    /// <summary>Called first: a simulator is made for the groups that the layer will have.</summary>
    protected virtual void MakeRoom(RecurrentShape shape)
    {
    }
}

/// <summary>The same on a simulator that is launched like a device.</summary>
public abstract class SimulatedPersistentLayerTests(int threadsOfWarp) : PersistentLayerTests(device: null)
{
    private IlgpuBackend? backend;

    protected override IBackend Backend => backend!;

    // Every thread of a simulator is one of the processor's, whether a launch needs it or not: no more than the groups have.
    protected override void MakeRoom(RecurrentShape shape) => backend = Open(shape, multiprocessors: 1);

    // Where there are multiprocessors for them, groups walk fewer sequences than they have room for: here two, or one.
    [Theory]
    [InlineData(CellKind.RnnTanh, 100)]
    [InlineData(CellKind.Lstm, 3)]
    [InlineData(CellKind.Lstm, 100)]
    [InlineData(CellKind.Gru, 3)]
    [InlineData(CellKind.Gru, 100)]
    public void Agrees_with_fewer_sequences_to_a_group(CellKind cell, int multiprocessors)
    {
        RecurrentShape shape = new(cell, 2, 5, 2, 7);
        backend = Open(shape, multiprocessors);
        ReferenceLayer problem = new(shape, seed: 75, hasInitial: true, hasLengths: true);
        Check(problem, shape, 0, problem.Backward(0));
    }

    // What a device gets whose registers run out: two quads of columns in registers, the third in shared memory; two sequences to a group.
    [Theory]
    [InlineData(CellKind.RnnRelu, 96)]
    [InlineData(CellKind.Lstm, 48)]
    [InlineData(CellKind.Gru, 48)]
    public void Agrees_with_few_weights_in_registers(CellKind cell, int hidden)
    {
        RecurrentShape shape = new(cell, 2, 3, 2, hidden);
        backend = Open(shape, multiprocessors: 2);
        PersistentTiles lean = PersistentLimits.Query(backend.Accelerator).Tiles(cell, hidden, registerStrips: 2);
        Assert.Equal((2, 1), (lean.Forward.RegisterStrips, lean.Forward.SharedStrips));
        Assert.Equal((2, 1), (lean.Backward.RegisterStrips, lean.Backward.SharedStrips));
        RecurrentCell kernels = CellSpec.From(cell).Persistent!(backend.Loader, lean);
        using IlgpuRecurrentWorkspace workspace = new(backend, kernels, shape, isTraining: true);
        ReferenceLayer problem = new(shape, seed: 74, hasInitial: true, hasLengths: true);
        Check(problem, shape, 0, problem.Backward(0), workspace);
    }

    private IlgpuBackend Open(RecurrentShape shape, int multiprocessors)
    {
        // ILGPU's simulator has them in powers of two.
        int threads = new PersistentLimits().Tiles(shape.Cell, shape.Hidden, registerStrips: 4).Forward.Threads;
        int warps = (int)BitOperations.RoundUpToPowerOf2((uint)(threads / threadsOfWarp));
        return Own(WideSimulator.Open(threadsOfWarp, warps, RecurrentStrategy.Persistent, multiprocessors));
    }
}

/// <summary>Sums exchanged by shuffles, as on CUDA.</summary>
public sealed class PersistentShuffleTests() : SimulatedPersistentLayerTests(threadsOfWarp: 32);

/// <summary>Sums exchanged through shared memory, as on OpenCL devices: the warps are too narrow to shuffle.</summary>
public sealed class PersistentSharedTests() : SimulatedPersistentLayerTests(threadsOfWarp: 8);

public class CudaPersistentLayerTests(CudaPersistentDevice device) : PersistentLayerTests(device), IClassFixture<CudaPersistentDevice>
{
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
