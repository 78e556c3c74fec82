using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Packed weights, gates and sums of one recurrent layer. All memory is taken here, none in the passes. Without training no gates are kept, and two
/// steps' cell states in turn.
/// </summary>
internal sealed unsafe class HostRecurrentWorkspace : RecurrentWorkspace, IKept
{
    // Rows of inputs that share a reading of W_ih: enough for it to cost little beside the arithmetic, few enough for their sums to stay near.
    private const int BlockRows = 64;

    // Rows of each thread below which they share the units instead, since each would read all of W_hh for less than a tile; and where W_hh comes
    // from beyond the second-level cache in every step.
    private const int RowsWorthWeights = 4;
    private const int RowsWorthFarWeights = 16;

    // Multiply-adds of a step and a thread below which it would be over before the threads have met, and of a pass below which no thread is woken: a
    // single step of 128 units takes 5 us, as long as waking one.
    private const long SmallestPart = 1 << 15;
    private const long SmallestPass = 1 << 20;

    private readonly HostBackend backend;
    private readonly ThreadScratch zeros; // [H]
    private readonly ThreadScratch peepholeSums; // [B, 3H]
    private readonly PackedWeights? back;
    private readonly PartMemory? sums; // a block's pre-activations
    private readonly PartMemory? stateSums; // a step's recurrent parts
    private readonly PartMemory? cells; // of T + 1 or 2 states, [rows, units]
    private readonly PartMemory? carries; // dL/dh, dL/dc, [rows, units]
    private readonly PartMemory? gates; // of all steps, [rows, G*H]
    private readonly PartMemory? products; // of all steps, [rows, 3H]
    private readonly bool isByGate;
    private readonly bool isKeptInPlace; // pre-activations stand where gates are kept
    private Tensor? productGradient; // [T, B, G*H]
    private bool hasDeltas; // and ProductGradient is made of them when somebody asks

    /// <summary>Takes the memory.</summary>
    public HostRecurrentWorkspace(RecurrentShape shape, bool isTraining, HostBackend backend, HostParallel threads)
        : base(shape, isTraining)
    {
        (_, int steps, int batch, int inputs, int units) = shape;
        CellSpec cell = shape.Spec;
        this.backend = backend;
        int rows = shape.GateRows;
        StateRows = cell.ResetsState ? rows - units : rows;
        long stepWork = (long)batch * rows * units;
        bool isFar = (long)rows * units > PackedWeights.Far;
        int worthwhile = isFar ? RowsWorthFarWeights : RowsWorthWeights;
        int shares = cell.Host.SharesUnits && batch < worthwhile * threads.Count && steps * stepWork >= SmallestPass
            ? (int)Math.Clamp(stepWork / SmallestPart, 1, Math.Min(threads.Count, GemmKernel.Panels(units)))
            : 1;
        SharesUnits = shares > 1;
        long passWork = (long)steps * batch * rows * (units + inputs);
        Parts = SharesUnits
            ? [.. Enumerable.Range(0, shares).Select(i => StepPart.OfUnits(i, shares, batch, units))]
            : [.. threads.Ranges(batch, RowUnit(batch, threads.Count), passWork).Select((range, i) => StepPart.OfRows(i, range.From, range.To, units))];
        StepPart[] unitParts = SharesUnits ? Parts : [Parts[0].AllUnits];
        isByGate = !SharesUnits && (cell.ResetsState || (batch > 1 && PartWeights.IsFasterByGate(cell.Gates, units, isTraining)));
        isKeptInPlace = isTraining && cell.Gates > 1 && !isByGate && !SharesUnits;
        bool isPadded = !isByGate && !isKeptInPlace;
        Input = new PartWeights(inputs, cell.Gates, units, isByGate, isPadded, unitParts);
        Hidden = new PartWeights(units, StateRows / units, units, isByGate, isPadded, unitParts);
        if (cell.ResetsState) HiddenOfReset = new PackedWeights(units, units);
        ColumnGroups[] unitColumns = [.. unitParts.Select(part => new ColumnGroups(1, part.FirstUnit, units, part.UnitCount))];
        if (isTraining) back = new PackedWeights(StateRows, ColumnGroups.All(units), unitColumns);
        if (isTraining) BackToInput = new PackedWeights(rows, inputs);
        if (isTraining && cell.ResetsState) BackOfReset = new PackedWeights(units, units);
        zeros = new ThreadScratch(1, units);
        peepholeSums = new ThreadScratch(1, isTraining && cell.HasPeepholes ? 3L * batch * units : 0);
        new Span<float>(Zeros, units).Clear();
        Block = Math.Clamp(BlockRows / batch, 1, steps);
        int parts = Parts.Length;
        if (!isKeptInPlace) sums = new PartMemory(parts, Block, batch, units, cell.Gates, isPadded);
        if (!isKeptInPlace && cell.ResetsProduct) stateSums = new PartMemory(parts, 1, batch, units, cell.Gates, isPadded);
        if (cell.HasCellState) cells = new PartMemory(parts, isTraining ? steps + 1 : 2, batch, units, 1);
        if (cell.ResetsState) ResetStates = backend.Allocate(new Shape(isTraining ? steps : 1, batch, units));
        if (!isTraining) return;
        carries = new PartMemory(parts, 2, batch, units, 1);
        if (cell.Gates > 1) gates = new PartMemory(parts, steps, batch, units, cell.Gates);
        if (cell.ResetsProduct) products = new PartMemory(parts, steps, batch, units, cell.Gates);
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
    /// What the threads compute in a pass: some of the units each, to meet after each step (<see cref="SharesUnits"/>), or some of the rows, of which
    /// each walks all steps.
    /// </summary>
    public StepPart[] Parts { get; }

    /// <summary>Whether the parts have some of the units each.</summary>
    public bool SharesUnits { get; }

    /// <summary>W_ih^T; for the GRU with b_ih, else with both biases.</summary>
    public PartWeights Input { get; }

    /// <summary>Rows of W_hh that multiply h; behind them come those that multiply r h (<see cref="CellSpec.ResetsState"/>).</summary>
    public int StateRows { get; }

    /// <summary>W_hh^T, of <see cref="StateRows"/>; for the GRU with b_hh.</summary>
    public PartWeights Hidden { get; }

    /// <summary>W_ih for the way back; with training only.</summary>
    public PackedWeights? BackToInput { get; }

    /// <summary>W_hh^T of the rows that multiply r h.</summary>
    public PackedWeights? HiddenOfReset { get; }

    /// <summary>W_hh of the rows that multiply r h, for the way back.</summary>
    public PackedWeights? BackOfReset { get; }

    /// <summary>r h of all steps [T, B, H], without training of one (GRU that resets before the product).</summary>
    public Tensor? ResetStates { get; }

    /// <summary>The gradients of n's pre-activations once more, without gaps, [T, B, H] (GRU that resets before the product).</summary>
    public Tensor? FreshGradients { get; }

    /// <summary>The peepholes [3H] of the pass that runs; null where the cell has none.</summary>
    public float* Peepholes { get; set; }

    /// <summary>Their gradients, sequence by sequence [B, 3H].</summary>
    public float* PeepholeSums => peepholeSums.Of(0);

    /// <summary>[H].</summary>
    public float* Zeros => zeros.Of(0);

    /// <summary>
    /// The gradients of the pre-activations after the way back: all gates [T, B, G*H], which turned into them; null without training, and without gates.
    /// </summary>
    public DividedRows? Deltas => gates is null ? null : new DividedRows(gates, RowBlocks);

    /// <summary>The same of a GRU's recurrent products [T, B, 3H].</summary>
    public DividedRows? ProductDeltas => products is null ? null : new DividedRows(products, RowBlocks);

    /// <inheritdoc/>
    public override Tensor? ProductGradient
    {
        get
        {
            if (base.ProductGradient is null && hasDeltas) base.ProductGradient = Together((ProductDeltas ?? Deltas)!.Value);
            return base.ProductGradient;
        }

        internal set
        {
            hasDeltas = false;
            base.ProductGradient = value;
        }
    }

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

    /// <summary>
    /// The part's pre-activations of step <paramref name="step"/>: of each gate rows <see cref="RowStride"/> apart of its units, gates
    /// <see cref="GateStride"/> apart; those of one block of steps are kept, or they are <see cref="Gates"/>.
    /// </summary>
    public float* Sums(int step, StepPart part) => sums is null ? Gates(step, part) : sums.At(0, part) + step % Block * StepStride(part);

    /// <summary>Numbers from one gate's sums to the next one's (<see cref="PartWeights"/>).</summary>
    public nint GateStride(StepPart part) => isByGate ? Block * StepStride(part) : part.UnitCount;

    /// <summary>Numbers from one step's sums to the next one's.</summary>
    public nint StepStride(StepPart part) => part.Rows * RowStride(part);

    /// <summary>Numbers from one row's sums to the next one's.</summary>
    public nint RowStride(StepPart part) => Input.RowStride(part);

    /// <summary>
    /// The recurrent part of a GRU's pre-activations of step <paramref name="step"/>: rows as those of <see cref="Sums"/>, gates
    /// <see cref="StateGateStride"/> apart; of one step, or they are <see cref="Products"/>.
    /// </summary>
    public float* StateSums(int step, StepPart part) => stateSums is null ? Products(step, part) : stateSums.At(0, part);

    /// <summary>Numbers from one gate's recurrent part to the next one's.</summary>
    public nint StateGateStride(StepPart part) => isByGate ? StepStride(part) : part.UnitCount;

    /// <summary>The part's cell states before the step walked as number <paramref name="number"/>, [rows, units of the part].</summary>
    public float* CellsBefore(int number, StepPart part) => cells!.At(IsTraining ? number : number % 2, part);

    /// <summary>dL/dh on its way back, [rows, units of the part].</summary>
    public float* Carry(StepPart part) => carries!.At(0, part);

    /// <summary>
    /// dL/dc on its way back, [rows, units of the part]; for the GRU that resets before the product, a step's dL/d(r h).
    /// </summary>
    public float* CellCarry(StepPart part) => carries!.At(1, part);

    /// <summary>The gates of step <paramref name="step"/>, [rows, G*H], with all units of the part's rows; with training only.</summary>
    public float* Gates(int step, StepPart part) => gates!.At(step, part.AllUnits);

    /// <summary>A GRU's recurrent products of step <paramref name="step"/> in the same way, of which block n is kept.</summary>
    public float* Products(int step, StepPart part) => products!.At(step, part.AllUnits);

    /// <summary>r h of step <paramref name="step"/> from row <paramref name="row"/> on.</summary>
    public float* ResetsAt(int step, long row) => StatesAt(ResetStates!, step, row);

    /// <summary>The gradients of n of step <paramref name="step"/> from row <paramref name="row"/> on.</summary>
    public float* FreshAt(int step, long row) => StatesAt(FreshGradients!, step, row);

    /// <summary>W_hh of <see cref="StateRows"/> for the way back, the columns of the part's units; with training only.</summary>
    public PackedColumns Back(StepPart part) => back![part.Share];

    /// <summary>Packs <see cref="Back"/>.</summary>
    public void PackBack(HostParallel threads, float* hiddenWeights) => back!.Pack(threads, hiddenWeights, isTransposed: false);

    /// <summary>After the way back of a cell with gates: what they turned into is <see cref="ProductGradient"/>.</summary>
    public void KeepDeltas() => hasDeltas = true;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Input.Dispose();
        Hidden.Dispose();
        back?.Dispose();
        BackToInput?.Dispose();
        HiddenOfReset?.Dispose();
        BackOfReset?.Dispose();
        zeros.Dispose();
        peepholeSums.Dispose();
        sums?.Dispose();
        stateSums?.Dispose();
        cells?.Dispose();
        carries?.Dispose();
        gates?.Dispose();
        products?.Dispose();
        productGradient?.Dispose();
        ResetStates?.Dispose();
        FreshGradients?.Dispose();
        HiddenGradient?.Dispose();
        InputGradient?.Dispose();
    }

    // Parts with all units.
    private StepPart[] RowBlocks => SharesUnits ? [Parts[0].AllUnits] : Parts;

    // Whole tiles per thread, smaller ones where the batch is too small for that: of 20 rows two threads take 10 each.
    private static long RowUnit(int batch, int threads) => batch >= 16 * threads ? 8 : batch >= 8 * threads ? 2 : 1;

    private Tensor Together(DividedRows rows)
    {
        productGradient ??= backend.Allocate(new Shape(Shape.Steps, Shape.Batch, Shape.GateRows));
        float* target = backend.Address(productGradient);
        long count = (long)Shape.Steps * Shape.Batch;
        for (long row = 0; row < count;)
        {
            float* source = rows.At(row, out long together);
            long numbers = together * Shape.GateRows;
            Buffer.MemoryCopy(source, target + row * Shape.GateRows, numbers * sizeof(float), numbers * sizeof(float));
            row += together;
        }

        return productGradient;
    }

    private float* StatesAt(Tensor tensor, int step, long row) =>
        backend.Read(tensor) + ((IsTraining ? step : 0) * (long)Shape.Batch + row) * Shape.Hidden;
}
