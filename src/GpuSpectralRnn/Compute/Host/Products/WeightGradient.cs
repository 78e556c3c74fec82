using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Weight gradients of a recurrent layer in one product over the T B rows of a sequence: [h_before | x_t | 1]^T delta, which is dW_hh^T over dW_ih^T
/// over the bias gradient; either matrix may be left out. Threads share out the columns of the result, or, where the sequence is long, fixed slices of
/// the T B rows, whose sums are added in order: any number of threads gives the same bits.
/// </summary>
internal sealed unsafe class WeightGradient : IDisposable
{
    // With slices every thread packs its own part of delta alone; they pay where a slice is long and its sum small.
    private const int LongSequenceSlices = 8;
    private const long LongSequence = 1 << 13;
    private const long SmallSum = 1 << 18;

    private readonly HostParallel threads;
    private readonly ThreadScratch scratch; // per thread or slice: delta's panels [panel][Depth][width], then one tile [Depth][rows]
    private readonly ThreadScratch sums; // of each part of the columns, apart (PartMemory.Gap): per slice [rows, columns in whole panels]
    private readonly (long From, long To)[] parts;
    private readonly int slices;
    private readonly long count;
    private readonly int hidden;
    private readonly int inputs;
    private readonly int rows;
    private readonly int columns;
    private readonly int stateColumns; // that dW_hh has
    private readonly int paddedColumns;

    /// <summary>
    /// Takes the memory for deltas of <paramref name="count"/> rows (T B) and <paramref name="columns"/> columns, H hidden units (0 without dW_hh)
    /// and I inputs (0 without dW_ih). Of dW_hh only the first <paramref name="stateColumns"/> are made, where given.
    /// </summary>
    public WeightGradient(HostParallel threads, int hidden, int inputs, int columns, long count, int? stateColumns = null)
    {
        this.stateColumns = stateColumns ?? columns;
        this.threads = threads;
        this.count = count;
        this.hidden = hidden;
        this.inputs = inputs;
        this.columns = columns;
        rows = hidden + inputs + 1;
        paddedColumns = GemmKernel.Panels(columns) * GemmKernel.PanelWidth;
        slices = count >= LongSequence && (long)rows * paddedColumns <= SmallSum ? LongSequenceSlices : 1;
        scratch = new ThreadScratch(Math.Max(threads.Count, slices), (long)GemmKernel.Depth * (paddedColumns + GemmKernel.HighestTile));
        parts = slices > 1 ? [(0, columns)] : threads.Ranges(columns, GemmKernel.PanelWidth, count * rows * columns);
        sums = new ThreadScratch(slices, (long)rows * paddedColumns + (parts.Length - 1) * PartMemory.Gap);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        scratch.Dispose();
        sums.Dispose();
    }

    /// <summary>
    /// Adds the gradients to what is not null: dW_ih, dW_hh and one or two biases. delta [T, B, columns] is zero where <paramref name="pass"/> has
    /// padding.
    /// </summary>
    public void Add(RecurrentPass pass, DividedRows delta, float* inputWeights, float* hiddenWeights, float* bias, float* otherBias)
    {
        Source source = new(pass, hidden, inputs);
        if (slices > 1) SumSlices(source, delta);
        threads.Run(parts.Length, part =>
        {
            if (slices == 1) Sum(source, delta, 0, count, part, 0, part);
            (int from, int end) = ((int)parts[part].From, (int)parts[part].To);
            int stateEnd = Math.Min(end, stateColumns), stride = Stride(part);
            float* total = Total(0, part);
            if (hiddenWeights != null) AddTransposed(total, stride, hidden, stateEnd - from, hiddenWeights + (long)from * hidden);
            if (inputWeights != null) AddTransposed(total + (long)hidden * stride, stride, inputs, end - from, inputWeights + (long)from * inputs);
            float* ones = total + (long)(rows - 1) * stride;
            Elementwise.Run(new AddTo(bias + from, ones), 0, end - from);
            if (otherBias != null) Elementwise.Run(new AddTo(otherBias + from, ones), 0, end - from);
        });
    }

    private void SumSlices(Source source, DividedRows delta)
    {
        long blocks = (count + GemmKernel.Depth - 1) / GemmKernel.Depth;
        threads.Run(slices, slice =>
        {
            long start = blocks * slice / slices * GemmKernel.Depth;
            long end = Math.Min(count, blocks * (slice + 1) / slices * GemmKernel.Depth);
            Sum(source, delta, start, end, slice, slice, 0);
        });
        for (int slice = 1; slice < slices; slice++) Elementwise.Run(threads, (long)rows * paddedColumns, new AddTo(sums.Of(0), sums.Of(slice)));
    }

    private int Stride(int part) => GemmKernel.Panels((int)(parts[part].To - parts[part].From)) * GemmKernel.PanelWidth;

    private float* Total(int slice, int part) => sums.Of(slice) + parts[part].From * rows + part * PartMemory.Gap;

    // The part's columns of the result, over the rows start..end of delta.
    private void Sum(Source source, DividedRows delta, long start, long end, int thread, int slice, int part)
    {
        (nint from, nint own) = ((nint)parts[part].From, (nint)(parts[part].To - parts[part].From));
        float* total = Total(slice, part);
        nint stride = Stride(part);
        float* panels = scratch.Of(thread);
        float* tile = panels + (long)GemmKernel.Depth * paddedColumns;
        nint width = GemmKernel.PanelWidth;
        for (long first = start; first < end; first += GemmKernel.Depth)
        {
            nint depth = (nint)Math.Min(GemmKernel.Depth, end - first);
            for (nint l = 0; l < depth;)
            {
                float* deltas = delta.At(first + l, out long together);
                nint run = (nint)Math.Min(together, depth - l);
                GemmPacking.PackPanels(deltas + from, columns, false, run, own, 1, panels + l * width, depth * width);
                l += run;
            }

            for (int row = 0; row < rows;)
            {
                int height = GemmKernel.TileHeight(rows - row);
                source.Pack(first, depth, row, height, tile);
                float* c = total + row * stride;
                for (nint j = 0; j < own; j += width)
                {
                    float* add = first == start ? null : c + j;
                    GemmKernel.Multiply(
                        height, Math.Min(width, own - j), depth, tile, 0, true, panels + j * depth, c + j, stride, add, stride);
                }

                row += height;
            }
        }
    }

    // destination [columns, count] += total^T, total [count, columns]; eight rows at a time, in blocks of sixteen
    // columns, one cache line.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTransposed(float* total, int stride, int count, int columns, float* destination)
    {
        int whole = Avx.IsSupported ? count / 8 * 8 : 0, fours = columns / 4 * 4;
        for (int first = 0; first < fours; first += 16)
        {
            int last = Math.Min(first + 16, fours);
            for (int i = 0; i < whole; i += 8)
            {
                for (int j = first; j < last; j += 4)
                {
                    float* target = destination + (long)j * count + i;
                    GemmKernel.LoadColumns(
                        total + (long)i * stride + j, stride, out Vector256<float> x0, out Vector256<float> x1, out Vector256<float> x2, out Vector256<float> x3);
                    (Vector256.Load(target) + x0).Store(target);
                    (Vector256.Load(target + count) + x1).Store(target + count);
                    (Vector256.Load(target + 2L * count) + x2).Store(target + 2L * count);
                    (Vector256.Load(target + 3L * count) + x3).Store(target + 3L * count);
                }
            }
        }

        for (int j = 0; j < columns; j++)
        {
            for (int i = j < fours ? whole : 0; i < count; i++) destination[(long)j * count + i] += total[(long)i * stride + j];
        }
    }

    // The left operand [h_before | x_t | 1], whose row r is sequence r % B at step r / B.
    private readonly struct Source(RecurrentPass pass, int hidden, int inputs)
    {
        // Columns column..column+height of rows first..first+depth as a tile [depth][height].
        public void Pack(long first, nint depth, int column, int height, float* tile)
        {
            (_, int steps, int batch, _, _) = pass.Shape;
            if (column + height <= hidden)
            {
                // Rows of the step walked first, before which the initial state stands: the first B, or the last.
                long start = pass.Shape.IsReverse ? (steps - 1) * (long)batch : 0;
                long shift = pass.Shape.IsReverse ? batch : -batch;
                nint from = (nint)Math.Clamp(start - first, 0, depth);
                nint to = (nint)Math.Clamp(start + batch - first, 0, depth);
                PackStates(first + shift, from, column, height, tile);
                if (pass.InitialHidden == null) new Span<float>(tile + from * height, (int)(to - from) * height).Clear();
                else GemmPacking.PackTile(pass.InitialHidden + (first + from - start) * hidden + column, hidden, to - from, height, tile + from * height);
                PackStates(first + to + shift, depth - to, column, height, tile + to * height);
            }
            else if (column >= hidden && column + height <= hidden + inputs)
            {
                GemmPacking.PackTile(pass.Input + first * inputs + (column - hidden), inputs, depth, height, tile);
            }
            else
            {
                for (nint l = 0; l < depth; l++)
                {
                    for (int i = 0; i < height; i++) tile[l * height + i] = At(first + l, column + i);
                }
            }
        }

        private void PackStates(long row, nint depth, int column, int height, float* tile) =>
            GemmPacking.PackTile(pass.Output + row * hidden + column, hidden, depth, height, tile);

        private float At(long row, int column)
        {
            (_, int steps, int batch, _, _) = pass.Shape;
            if (column >= hidden + inputs) return 1;
            if (column >= hidden) return pass.Input[row * inputs + (column - hidden)];
            long before = pass.Shape.IsReverse ? row + batch : row - batch;
            if (before >= 0 && before < steps * (long)batch) return pass.Output[before * hidden + column];
            return pass.InitialHidden == null ? 0 : pass.InitialHidden[row % batch * hidden + column];
        }
    }
}
