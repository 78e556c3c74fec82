using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>What an ILGPU device keeps for one recurrent layer; G is the cell's number of gates.</summary>
internal sealed class IlgpuRecurrentWorkspace : RecurrentWorkspace, IKept
{
    private readonly IlgpuRecurrentMemory? own;

    /// <summary>Takes memory of its own.</summary>
    public IlgpuRecurrentWorkspace(IlgpuBackend backend, RecurrentCell kernels, RecurrentShape shape, bool isTraining)
        : this(
            backend,
            new IlgpuRecurrentMemory(backend, kernels, shape.Cell, shape.Hidden, (long)shape.Steps * shape.Batch, shape.Batch, isTraining),
            shape,
            isTraining,
            isOwner: true)
    {
    }

    /// <summary>Lays windows on memory that it may share with others.</summary>
    public IlgpuRecurrentWorkspace(IlgpuBackend backend, IlgpuRecurrentMemory memory, RecurrentShape shape, bool isTraining)
        : this(backend, memory, shape, isTraining, isOwner: false)
    {
    }

    private IlgpuRecurrentWorkspace(IlgpuBackend backend, IlgpuRecurrentMemory memory, RecurrentShape shape, bool isTraining, bool isOwner)
        : base(shape, isTraining)
    {
        Backend = backend;
        own = isOwner ? memory : null;
        Cell = memory.Kernels;
        Recurrence = new RecurrentReplay(Cell, backend.Graphs, backend.Stream);
        (_, int t, int b, _, int h) = shape;
        int rows = shape.GateRows;
        Walk = new RecurrentWalk(t, b, h, shape.IsReverse);
        ArrangedWeights = memory.Arranged;
        States = memory.States.View(0, t + 1, b, h);
        StatesBefore = States.View((long)Walk.SlotsBefore * b * h, t, b, h);
        Outputs = States.View((long)(1 - Walk.SlotsBefore) * b * h, t, b, h);
        (Start, End) = (States.Slice(Walk.First), States.Slice(Walk.Last));
        FullLengths = backend.Allocate(new Shape(b), ElementType.Int32);
        FullLengths.CopyFrom<int>(Enumerable.Repeat(t, b).ToArray());
        Gates = memory.Gates?.View(0, t, b, rows);
        Products = isTraining ? memory.Products?.View(0, t, b, rows) : memory.Products?.View(0, 1);
        if (memory.Resets is { } resets)
        {
            Resets = resets.View(0, (int)ResetParts.Count(t * b, b, h, isTraining));
            if (isTraining)
            {
                GateGradients = resets.View(0, t, b, 2 * h);
                FreshGradients = resets.View(2L * t * b * h, t, b, h);
                ResetStates = resets.View(3L * t * b * h, t, b, h);
            }
        }

        CellStates = memory.CellStates?.View(0, t + 1, b, h);
        (CellStart, CellEnd) = (CellStates?.Slice(Walk.First), CellStates?.Slice(Walk.Last));
        if (!isTraining) return;
        Carry = memory.Carry!.View(0, b, h);
        CellCarry = memory.CellCarry?.View(0, b, h);
        PeepholeSums = memory.PeepholeSums?.View(0, b, 3 * h);
    }

    /// <inheritdoc/>
    public IBackend Backend { get; }

    /// <inheritdoc/>
    public bool IsDisposed { get; private set; }

    /// <summary>The order of the steps.</summary>
    public RecurrentWalk Walk { get; }

    /// <summary>The kernels that take the steps.</summary>
    public RecurrentCell Cell { get; }

    /// <summary>Runs them.</summary>
    public RecurrentReplay Recurrence { get; }

    /// <summary>Room for the weights as the cell's kernels read them.</summary>
    public Tensor ArrangedWeights { get; }

    /// <summary>h before and after each step, [T + 1, B, H].</summary>
    public Tensor States { get; }

    /// <summary>Those before each step, [T, B, H].</summary>
    public Tensor StatesBefore { get; }

    /// <summary>Those after each step, [T, B, H].</summary>
    public override Tensor Outputs { get; }

    /// <summary>The h that the walk starts from, [B, H].</summary>
    public Tensor Start { get; }

    /// <summary>The h that it ends with, [B, H].</summary>
    public Tensor End { get; }

    /// <summary>c before and after each step, [T + 1, B, H] (LSTM).</summary>
    public Tensor? CellStates { get; }

    /// <summary>The c that the walk starts from, [B, H] (LSTM).</summary>
    public Tensor? CellStart { get; }

    /// <summary>The c that it ends with, [B, H] (LSTM).</summary>
    public Tensor? CellEnd { get; }

    /// <summary>The gates, and backward their gradients, [T, B, G*H] (LSTM and GRU; Elman has no more than its outputs).</summary>
    public Tensor? Gates { get; }

    /// <summary>Recurrent products still needed, and backward their gradients, [T, B, 3H] (GRU; one element where not trained).</summary>
    public Tensor? Products { get; }

    /// <summary><see cref="ResetParts"/> (GRU that resets before the product).</summary>
    public Tensor? Resets { get; }

    /// <summary>Of these the gradients of r and z, [T, B, 2H].</summary>
    public Tensor? GateGradients { get; }

    /// <summary>Those of n, [T, B, H].</summary>
    public Tensor? FreshGradients { get; }

    /// <summary>r h, [T, B, H].</summary>
    public Tensor? ResetStates { get; }

    /// <summary>Backward: the part of dL/dh that passes a step by, [B, H].</summary>
    public Tensor? Carry { get; }

    /// <summary>Backward: dL/dc [B, H] (LSTM).</summary>
    public Tensor? CellCarry { get; }

    /// <summary>Backward: the peepholes' gradients, sequence by sequence [B, 3H].</summary>
    public Tensor? PeepholeSums { get; }

    /// <summary>Int32 [B], all T: for sequences of equal length.</summary>
    public Tensor FullLengths { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        IsDisposed = true;
        Recurrence.Dispose();
        FullLengths.Dispose();
        own?.Dispose();
    }
}
