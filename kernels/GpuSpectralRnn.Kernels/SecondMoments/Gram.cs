using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Weighted rows whose second moments are summed. Without padding at the end: with ILGPU 1.5.3 a CUDA kernel finds what follows the padding of a
/// nested struct at the wrong place.
/// </summary>
public struct GramRows
{
    /// <summary>[count, units].</summary>
    public ArrayView<float> Values;

    /// <summary>[count / rowsPerWeight]; not read where rowsPerWeight is 0.</summary>
    public ArrayView<float> Weights;

    /// <summary>Width of a row.</summary>
    public int Units;

    /// <summary>Number of rows.</summary>
    public int Count;

    /// <summary>Number of consecutive rows that share a weight; 0: all weights are one.</summary>
    public int RowsPerWeight;

    /// <summary>Number of rows in a slice; set by <see cref="Gram"/>.</summary>
    internal int PerSlice;
}

/// <summary>
/// Second moments sum_n w_n x_n x_n^T in device memory. Slices of the rows are summed in parallel and then added to the running sums in a fixed
/// order.
/// </summary>
public abstract class Gram : IDisposable
{
    /// <summary>Makes empty sums for rows of <paramref name="units"/> numbers.</summary>
    public static Gram Create(KernelLoader loader, int units, bool hasFloat64) =>
        hasFloat64
            ? new Gram<DoubleSum>(loader, units, sum => sum.Value)
            : new Gram<PairSum>(loader, units, sum => (double)sum.Value.High + sum.Value.Low);

    /// <summary>Adds w_n x_n x_n^T for every row n.</summary>
    public abstract void Add(AcceleratorStream stream, GramRows rows);

    /// <summary>Waits for the device and writes the symmetric matrix [units, units].</summary>
    public abstract void Read(AcceleratorStream stream, Span<double> sums);

    /// <summary>Sets the sums to zero.</summary>
    public abstract void Reset(AcceleratorStream stream);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Second moments in double precision or in compensated pairs of singles.</summary>
internal sealed class Gram<TSum> : Gram
    where TSum : unmanaged, IMomentSum<TSum>
{
    private const int PartialCapacity = 1 << 20;
    private const int BlockCapacity = 1 << 22; // 32 MiB: enough slices of 512 units to fill 132 multiprocessors four times
    private const int SmallestSlice = 64;

    private readonly KernelLoader loader;
    private readonly int units;
    private readonly Func<TSum, double> rounded;
    private readonly MemoryBuffer partials;
    private readonly MemoryBuffer sums;
    private readonly int mostSlices;
    private readonly Launcher<SumSlices> sumSlices;
    private readonly Launcher<GramBlocks>? sumBlocks;
    private readonly Launcher<AddSlices> addSlices;

    /// <summary>Loads the kernels and allocates; the sums are not cleared.</summary>
    public Gram(KernelLoader loader, int units, Func<TSum, double> rounded)
    {
        this.loader = loader;
        this.units = units;
        this.rounded = rounded;
        long capacity = PartialCapacity;
        if (typeof(TSum) == typeof(DoubleSum) && loader.CanShare(GramBlocks.Threads))
        {
            sumBlocks = loader.Groups<GramBlocks>();
            capacity = BlockCapacity;
        }

        mostSlices = (int)Math.Max(1, capacity / ((long)units * units));
        if (sumBlocks is not null)
        {
            // As many groups as the device holds at once: a few more would take as long again.
            int held = GramBlocks.PerMultiprocessor * loader.Accelerator.NumMultiprocessors;
            mostSlices = Math.Min(mostSlices, Math.Max(1, held / BlockPairs));
        }

        sumSlices = loader.Items<SumSlices>();
        addSlices = loader.Elements<AddSlices>();
        partials = loader.Memory.Allocate((long)mostSlices * units * units, Unsafe.SizeOf<TSum>());
        sums = loader.Memory.Allocate((long)units * units, Unsafe.SizeOf<TSum>());
    }

    private int BlocksAcross => (units + GramBlocks.Edge - 1) / GramBlocks.Edge;

    private int BlockPairs => BlocksAcross * (BlocksAcross + 1) / 2;

    private ArrayView<TSum> Sums => sums.AsArrayView<TSum>(0, (long)units * units);

    /// <inheritdoc/>
    public override void Add(AcceleratorStream stream, GramRows rows)
    {
        int count = rows.Count;
        if (count == 0) return;
        int across = (units + 3) / 4;
        int filled = sumBlocks is null ? loader.BusyWidth / (across * across) : mostSlices;
        int wanted = Math.Min(Math.Min(filled, count / SmallestSlice), mostSlices);
        rows.PerSlice = (count + Math.Max(1, wanted) - 1) / Math.Max(1, wanted);
        int slices = (count + rows.PerSlice - 1) / rows.PerSlice;
        ArrayView<TSum> partial = partials.AsArrayView<TSum>(0, (long)slices * units * units);
        if (sumBlocks is null)
        {
            sumSlices(stream, slices * across * across, new(rows, partial));
        }
        else
        {
            int hasQuads = units % 4 == 0 && GemmOperand.StartsAtQuad(rows.Values) ? 1 : 0;
            sumBlocks(stream, slices * BlocksAcross * BlocksAcross, new(rows, partial.Cast<DoubleSum>(), hasQuads));
        }

        addSlices(stream, units * units, new(partial, Sums, units, slices));
    }

    /// <inheritdoc/>
    public override void Read(AcceleratorStream stream, Span<double> sums)
    {
        TSum[] values = new TSum[units * units];
        Sums.CopyToCPU(stream, values.AsSpan());
        for (int i = 0; i < units; i++)
            for (int j = i; j < units; j++) sums[i * units + j] = sums[j * units + i] = rounded(values[i * units + j]);
    }

    /// <inheritdoc/>
    public override void Reset(AcceleratorStream stream) => Sums.MemSetToZero(stream);

    /// <inheritdoc/>
    public override void Dispose()
    {
        partials.Dispose();
        sums.Dispose();
    }

    /// <summary>
    /// One item, in one slice of the rows, 4 x 4 sums: units p, p + across, ... with q, q + across, ..., where p is not above q. So every pair of
    /// units comes once, at its place above the diagonal, and neighbouring items read neighbouring units.
    /// </summary>
    [Kernel(typeof(DoubleSum), typeof(PairSum))]
    internal readonly struct SumSlices(
        GramRows rows,
        ArrayView<TSum> partial) // [slices, units, units]
        : IItemKernel
    {
        public void Run(int item)
        {
            int across = (rows.Units + 3) / 4;
            int q = item % across;
            int p = item / across % across;
            if (p > q) return;
            int slice = item / across / across;
            int from = slice * rows.PerSlice;
            int to = from + rows.PerSlice < rows.Count ? from + rows.PerSlice : rows.Count;
            QuadIndices left = QuadIndices.Create(p, across, rows.Units, 1);
            QuadIndices right = QuadIndices.Create(q, across, rows.Units, 1);
            MomentTile<TSum> tile = default;
            for (int row = from; row < to; row++)
            {
                float w = rows.RowsPerWeight == 0 ? 1f : rows.Weights[row / rows.RowsPerWeight];
                if (w != 0f) tile.AddOuter(w, left.Load(rows.Values, row * rows.Units), right.Load(rows.Values, row * rows.Units));
            }

            for (int i = 0; i < 4; i++)
            {
                MomentRow<TSum> line = tile.Row(i);
                int u = p + i * across;
                for (int j = 0; j < 4; j++)
                {
                    int v = q + j * across;
                    if (u >= rows.Units || v >= rows.Units || (p == q && u > v)) continue;
                    int place = u <= v ? u * rows.Units + v : v * rows.Units + u;
                    partial[slice * rows.Units * rows.Units + place] = line.Element(j);
                }
            }
        }
    }

    /// <summary>Adds the slices to the running sums, above the diagonal and on it; elements units^2.</summary>
    [Kernel(typeof(DoubleSum), typeof(PairSum))]
    internal readonly struct AddSlices(
        ArrayView<TSum> partial, // [slices, units, units]
        ArrayView<TSum> sums, // [units, units]
        int units,
        int slices)
        : IElementKernel
    {
        public void Run(int element)
        {
            if (element / units > element % units) return;
            TSum sum = partial[element];
            for (int s = 1; s < slices; s++) sum = default(TSum).Add(sum, partial[s * units * units + element]);
            sums[element] = default(TSum).Add(sums[element], sum);
        }
    }
}
