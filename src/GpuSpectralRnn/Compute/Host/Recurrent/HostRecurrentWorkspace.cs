using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Packed weights, gates and sums of one recurrent layer. All memory is taken here, none in the passes. Without training the gates of one block
/// of steps at a time are kept, and two steps' cell states in turn.
/// </summary>
internal sealed unsafe class HostRecurrentWorkspace : RecurrentWorkspace, IKept
{
    // Rows of inputs that share a reading of W_ih: enough for it to cost little beside the arithmetic.
    private const int BlockRows = 64;

    // Rows of each thread below which they share the units instead: a thread alone would read all of W_hh for less than a tile.
    private const int RowsWorthWeights = 4;

    // Multiply-adds of a step and a thread below which it would be over before the threads have met, and of a pass below which no thread is woken: a
    // single step of 128 units takes 5 us, as long as waking one.
    private const long SmallestPart = 1 << 15;
    private const long SmallestPass = 1 << 20;

    private readonly HostBackend backend;
    private readonly ThreadScratch vectors; // b_ih, b_hh, zeros
    private readonly ThreadScratch carries; // dL/dh, dL/dc
    private readonly ThreadScratch peepholeSums; // [B, 3H]
    private readonly Tensor? gates; // [T or Block, B, G*H]
    private readonly Tensor? products; // [T or 1, B, G*H]
    private readonly Tensor? cells; // [T or 2, B, H]

    /// <summary>Takes the memory.</summary>
    public HostRecurrentWorkspace(RecurrentShape shape, bool isTraining, HostBackend backend, HostParallel threads)
        : base(shape, isTraining)
    {
        (_, int steps, int batch, int inputs, int units) = shape;
        CellSpec cell = shape.Spec;
        this.backend = backend;
        int rows = shape.GateRows;
        long width = GemmKernel.PanelWidth;
        StateRows = cell.ResetsState ? rows - units : rows;
        long stepWork = (long)batch * rows * units;
        UnitParts = cell.Host.SharesUnits && batch < RowsWorthWeights * threads.Count && steps * stepWork >= SmallestPass
            ? (int)Math.Clamp(stepWork / SmallestPart, 1, Math.Min(threads.Count, GemmKernel.Panels(units)))
            : 1;
        Input = new GateWeights(inputs, cell.Gates, units, isByGate: UnitParts > 1);
        Hidden = new GateWeights(units, StateRows / units, units, isByGate: UnitParts > 1);
        if (cell.ResetsState) HiddenOfReset = new PackedWeights(units, units);
        if (isTraining) Back = new PackedWeights(StateRows, units);
        if (isTraining && cell.ResetsState) BackOfReset = new PackedWeights(units, units);
        vectors = new ThreadScratch(3, GemmKernel.Panels(rows) * width);
        carries = new ThreadScratch(2, isTraining && cell.Gates > 1 ? (long)batch * units : 0);
        peepholeSums = new ThreadScratch(1, isTraining && cell.HasPeepholes ? 3L * batch * units : 0);
        new Span<float>(Zeros, units).Clear();
        Block = Math.Clamp(BlockRows / batch, 1, steps);
        if (cell.Gates > 1) gates = backend.Allocate(new Shape(isTraining ? steps : Block, batch, rows));
        if (cell.ResetsProduct) products = backend.Allocate(new Shape(isTraining ? steps : 1, batch, rows));
        if (cell.ResetsState) ResetStates = backend.Allocate(new Shape(isTraining ? steps : 1, batch, units));
        if (cell.HasCellState) cells = backend.Allocate(new Shape(isTraining ? steps : 2, batch, units));
        if (!isTraining) return;
        if (cell.ResetsState) FreshGradients = backend.Allocate(ResetStates!.Shape);
        bool isSplit = cell.ResetsProduct;
        HiddenGradient = new WeightGradient(threads, units, isSplit ? 0 : inputs, rows, (long)steps * batch, StateRows);
        InputGradient = isSplit ? new WeightGradient(threads, 0, inputs, rows, (long)steps * batch) : null;
    }

    /// <summary>
    /// Steps whose inputs are multiplied together, before the walk comes to them: in a small batch a step alone would read all of W_ih for a few rows.
    /// </summary>
    public int Block { get; }

    /// <summary>What the packed weights and biases were made of; empty before the first pass.</summary>
    public WeightsVersion Packed { get; set; }

    /// <summary>
    /// Parts in which threads share out the units, to meet after each step; 1: they share out the rows, and each walks all steps of its own.
    /// </summary>
    public int UnitParts { get; }

    /// <summary>W_ih^T.</summary>
    public GateWeights Input { get; }

    /// <summary>Rows of W_hh that multiply h; behind them come those that multiply r h (<see cref="CellSpec.ResetsState"/>).</summary>
    public int StateRows { get; }

    /// <summary>W_hh^T, of <see cref="StateRows"/>.</summary>
    public GateWeights Hidden { get; }

    /// <summary>W_hh of <see cref="StateRows"/> for the way back; with training only.</summary>
    public PackedWeights? Back { get; }

    /// <summary>W_hh^T of the rows that multiply r h.</summary>
    public PackedWeights? HiddenOfReset { get; }

    /// <summary>W_hh of the rows that multiply r h, for the way back.</summary>
    public PackedWeights? BackOfReset { get; }

    /// <summary>r h of all steps [T, B, H], without training of one (GRU that resets before the product).</summary>
    public Tensor? ResetStates { get; }

    /// <summary>The gradients of n's pre-activations once more, without gaps, [T, B, H] (GRU that resets before the product).</summary>
    public Tensor? FreshGradients { get; }

    /// <summary>What is added to the inputs' product, [G*H]: b_ih + b_hh, for the GRU b_ih.</summary>
    public float* Bias => vectors.Of(0);

    /// <summary>b_hh [G*H], for the GRU.</summary>
    public float* HiddenBias => vectors.Of(1);

    /// <summary>The peepholes [3H] of the pass that runs; null where the cell has none.</summary>
    public float* Peepholes { get; set; }

    /// <summary>Their gradients, sequence by sequence [B, 3H].</summary>
    public float* PeepholeSums => peepholeSums.Of(0);

    /// <summary>[H].</summary>
    public float* Zeros => vectors.Of(2);

    /// <summary>dL/dh on its way back, [B, H].</summary>
    public float* Carry => carries.Of(0);

    /// <summary>dL/dc on its way back, [B, H]; for the GRU that resets before the product, a step's dL/d(r h).</summary>
    public float* CellCarry => carries.Of(1);

    /// <summary>All gates [T, B, G*H], which the way back turns into gradients.</summary>
    public Tensor? Gates => gates;

    /// <summary>The GRU's recurrent products [T, B, 3H], which the way back turns into gradients.</summary>
    public Tensor? Products => products;

    /// <summary>
    /// The product that the gradients of W_hh come from, and all others too unless <see cref="InputGradient"/> is there; with training only.
    /// </summary>
    public WeightGradient? HiddenGradient { get; }

    /// <summary>The product that the gradients of W_ih and b_ih come from where their deltas differ from those of W_hh (GRU).</summary>
    public WeightGradient? InputGradient { get; }

    /// <inheritdoc/>
    public IBackend Backend => backend;

    /// <inheritdoc/>
    public bool IsDisposed => Hidden.IsDisposed;

    /// <summary>The gates of step <paramref name="step"/> from row <paramref name="row"/> on.</summary>
    public float* GatesAt(int step, long row) => At(gates!, IsTraining ? step : step % Block, row);

    /// <summary>The recurrent products of step <paramref name="step"/> from row <paramref name="row"/> on.</summary>
    public float* ProductsAt(int step, long row) => At(products!, IsTraining ? step : 0, row);

    /// <summary>r h of step <paramref name="step"/> from row <paramref name="row"/> on.</summary>
    public float* ResetsAt(int step, long row) => StatesAt(ResetStates!, step, row);

    /// <summary>The gradients of n of step <paramref name="step"/> from row <paramref name="row"/> on.</summary>
    public float* FreshAt(int step, long row) => StatesAt(FreshGradients!, step, row);

    /// <summary>
    /// The cell states after step <paramref name="step"/>, walked as number <paramref name="number"/>, from row <paramref name="row"/> on.
    /// </summary>
    public float* CellsAt(int number, int step, long row) =>
        backend.Read(cells!) + ((IsTraining ? step : number % 2) * (long)Shape.Batch + row) * Shape.Hidden;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Input.Dispose();
        Hidden.Dispose();
        Back?.Dispose();
        HiddenOfReset?.Dispose();
        BackOfReset?.Dispose();
        vectors.Dispose();
        carries.Dispose();
        peepholeSums.Dispose();
        gates?.Dispose();
        products?.Dispose();
        cells?.Dispose();
        ResetStates?.Dispose();
        FreshGradients?.Dispose();
        HiddenGradient?.Dispose();
        InputGradient?.Dispose();
    }

    private float* At(Tensor tensor, int place, long row) => backend.Read(tensor) + (place * (long)Shape.Batch + row) * Shape.GateRows;

    private float* StatesAt(Tensor tensor, int step, long row) =>
        backend.Read(tensor) + ((IsTraining ? step : 0) * (long)Shape.Batch + row) * Shape.Hidden;
}
