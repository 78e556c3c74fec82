using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Second moments on the processor. A block of rows is widened to double into panels of one tile's width, which serve as both factors of the product;
/// only tiles that touch the upper triangle are computed. A tile belongs to one thread and its rows are added in order, so the sums do not depend on
/// the number of threads.
/// </summary>
internal sealed unsafe class HostGramAccumulator : GramAccumulator
{
    /// <summary>Rows widened at a time.</summary>
    private const int BlockRows = 1024;

    /// <summary>Terms per tile call: two panels of this depth fit the level-1 cache together.</summary>
    private const int Depth = 128;

    /// <summary>Rows per packing task.</summary>
    private const int RowsPerTask = 64;

    private readonly HostBackend backend;
    private readonly HostParallel threads;
    private readonly int panelCount;
    private readonly double[] sums;
    private readonly double[] packed;
    private double total;

    /// <summary>Empty sums for rows of <paramref name="units"/> numbers.</summary>
    public HostGramAccumulator(HostBackend backend, HostParallel threads, int units)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        Units = units;
        this.backend = backend;
        this.threads = threads;
        panelCount = (units + Float64Tile.Width - 1) / Float64Tile.Width;
        sums = new double[Extents.Product($"The second moments of {units} units", "take fewer units", Padded, Padded)];
        packed = new double[Extents.Product($"A block of rows of {units} units", "take fewer units", Padded, BlockRows)];
    }

    /// <inheritdoc/>
    public override int Units { get; }

    private int Padded => panelCount * Float64Tile.Width;

    /// <inheritdoc/>
    public override void Add(GramOperands operands)
    {
        (Tensor states, Tensor? weights, _) = operands;
        int count = Extents.Product($"{states}", "make the batch or the sequences smaller", OperandChecks.Float(backend, states));
        if (states.Shape.Columns != Units)
            throw new ArgumentException($"{states} has rows of {states.Shape.Columns}, the sums are for {Units}.", nameof(states));
        int weightCount = weights is null
            ? 0
            : Extents.Product($"{weights}", "make the batch or the sequences smaller", OperandChecks.Float(backend, weights));
        Add(new ReadOnlySpan<float>(backend.Address(states), count), new ReadOnlySpan<float>(backend.AddressOrNull(weights), weightCount));
    }

    // Rows [N, m]; no weights (an empty span) stand for ones.
    private void Add(ReadOnlySpan<float> rows, ReadOnlySpan<float> weights)
    {
        int count = rows.Length / Units;
        if (weights.Length > 0 && count % weights.Length != 0)
            throw new ArgumentException($"{weights.Length} weights do not divide {count} rows.", nameof(weights));
        int rowsPerWeight = weights.Length == 0 ? 0 : count / weights.Length;
        foreach (float w in weights)
        {
            if (!(w >= 0) || float.IsInfinity(w))
                throw new ArgumentException($"{w} is not a weight; weights are finite and zero or more.", nameof(weights));
            total += (double)w * rowsPerWeight;
        }

        if (weights.Length == 0) total += count;
        fixed (float* x = rows, w = weights)
        fixed (double* panels = packed, totals = sums)
        {
            for (int first = 0; first < count; first += BlockRows)
            {
                int block = Math.Min(BlockRows, count - first);
                float* blockRows = x + (long)first * Units, weight = w;
                double* wide = panels, target = totals;
                int offset = first;
                threads.Run((block + RowsPerTask - 1) / RowsPerTask, task =>
                {
                    int end = Math.Min(block, (task + 1) * RowsPerTask);
                    for (int row = task * RowsPerTask; row < end; row++)
                    {
                        float w = weight == null ? 1f : weight[(offset + row) / rowsPerWeight];
                        Widen(blockRows + (long)row * Units, wide + (long)row * Float64Tile.Width, w);
                    }
                });

                // Panel p needs p + 1 panels of rows: the task of p takes its mirror image too, so that all tasks weigh the same.
                threads.Run((panelCount + 1) / 2, task =>
                {
                    int mirror = panelCount - 1 - task;
                    AddPanel(mirror, block, wide, target);
                    if (task != mirror) AddPanel(task, block, wide, target);
                });
            }
        }
    }

    /// <inheritdoc/>
    public override double Read(Span<double> sums)
    {
        if (sums.Length != Units * Units) throw new ArgumentException($"The matrix has {Units} x {Units} elements, not {sums.Length}.", nameof(sums));
        for (int i = 0; i < Units; i++)
            for (int j = i; j < Units; j++) sums[i * Units + j] = sums[j * Units + i] = this.sums[i * Padded + j];
        return total;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        Array.Clear(sums);
        total = 0;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    // sqrt(weight) times the row, spread over the panels [BlockRows, 12], whose rows begin at the target; the last panel is filled up with zeros.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Widen(float* row, double* target, float weight)
    {
        double factor = Math.Sqrt(weight);
        Vector256<double> factors = Vector256.Create(factor);
        for (int j = 0; j < Padded; target += BlockRows * Float64Tile.Width)
        {
            if (weight != 0 && j + Float64Tile.Width <= Units)
            {
                (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Load(row + j));
                (low * factors).Store(target);
                (high * factors).Store(target + 4);
                (Vector256.WidenLower(Vector128.Load(row + j + 8).ToVector256Unsafe()) * factors).Store(target + 8);
                j += Float64Tile.Width;
                continue;
            }

            for (int lane = 0; lane < Float64Tile.Width; lane++, j++) target[lane] = weight != 0 && j < Units ? row[j] * factor : 0;
        }
    }

    // Adds the panel's columns of the upper triangle: [(panel + 1) 12, 12].
    private void AddPanel(int panel, int rows, double* wide, double* totals)
    {
        for (int k = 0; k < rows; k += Depth)
        {
            int terms = Math.Min(Depth, rows - k);
            double* b = wide + ((long)panel * BlockRows + k) * Float64Tile.Width;
            for (int i = 0; i < (panel + 1) * Float64Tile.Width; i += Float64Tile.Height)
            {
                double* a = wide + ((long)(i / Float64Tile.Width) * BlockRows + k) * Float64Tile.Width + i % Float64Tile.Width;
                Float64Tile.MultiplyAdd(terms, a, Float64Tile.Width, b, totals + (long)i * Padded + panel * Float64Tile.Width, Padded);
            }
        }
    }
}
