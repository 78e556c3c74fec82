namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// All weight gradients of a recurrent layer in one product over the T B rows of a sequence: [h_{t-1} | x_t | 1]^T delta, which is dW_hh^T over
/// dW_ih^T over the bias
/// gradient. Threads share out the rows of the result, so any number of them gives the same bits.
/// </summary>
internal sealed unsafe class WeightGradient : IDisposable
{
    private readonly HostThreads threads;
    private readonly HostScratch scratch; // per thread: delta's panels [panel][Depth][width], then one tile [Depth][8]
    private readonly HostScratch sums; // [rows, panels * width]
    private readonly int rows;
    private readonly int columns;
    private readonly int paddedColumns;

    /// <summary>Takes the memory for a result of [rows, columns].</summary>
    public WeightGradient(HostThreads threads, int rows, int columns)
    {
        this.threads = threads;
        this.rows = rows;
        this.columns = columns;
        paddedColumns = GemmKernel.Panels(columns) * GemmKernel.PanelWidth;
        scratch = new HostScratch(threads.Count, (long)GemmKernel.Depth * (paddedColumns + 8));
        sums = new HostScratch(1, (long)rows * paddedColumns);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        scratch.Dispose();
        sums.Dispose();
    }

    /// <summary>Adds the gradients. delta [T, B, columns] is zero where <paramref name="pass"/> has padding.</summary>
    public void Add(RecurrentPass pass, float* delta, float* inputWeights, float* hiddenWeights, float* inputBias, float* hiddenBias)
    {
        RecurrentShape shape = pass.Shape;
        Source source = new(pass);
        long count = (long)shape.Steps * shape.Batch;
        threads.Split(rows, 8, count * rows * columns, (part, from, to) => Sum(source, delta, count, part, (int)from, (int)to));
        float* total = sums.Of(0);
        AddTransposed(total, shape.Hidden, hiddenWeights);
        AddTransposed(total + (long)shape.Hidden * paddedColumns, shape.Inputs, inputWeights);
        float* bias = total + (long)(rows - 1) * paddedColumns;
        for (int j = 0; j < columns; j++)
        {
            inputBias[j] += bias[j];
            hiddenBias[j] += bias[j];
        }
    }

    // Rows from..to of the result.
    private void Sum(Source source, float* delta, long count, int part, int from, int to)
    {
        float* panels = scratch.Of(part);
        float* tile = panels + (long)GemmKernel.Depth * paddedColumns;
        float* total = sums.Of(0);
        nint width = GemmKernel.PanelWidth;
        for (long first = 0; first < count; first += GemmKernel.Depth)
        {
            nint depth = (nint)Math.Min(GemmKernel.Depth, count - first);
            GemmPacking.PackPanels(delta + first * columns, columns, false, depth, columns, 1, panels, depth * width);
            for (int row = from; row < to;)
            {
                int height = GemmKernel.TileHeight(to - row);
                source.Pack(first, depth, row, height, tile);
                float* c = total + (long)row * paddedColumns;
                for (nint j = 0; j < paddedColumns; j += width)
                {
                    float* add = first == 0 ? null : c + j;
                    GemmKernel.Multiply(height, width, depth, tile, 0, true, panels + j * depth, c + j, paddedColumns, add, paddedColumns);
                }

                row += height;
            }
        }
    }

    // destination [columns, count] += total^T, total [count, columns]
    private void AddTransposed(float* total, int count, float* destination)
    {
        for (long j = 0; j < columns; j++)
        {
            for (long i = 0; i < count; i++) destination[j * count + i] += total[i * paddedColumns + j];
        }
    }

    // The left operand [h_before | x_t | 1], whose row r is sequence r % B at step r / B.
    private readonly struct Source(RecurrentPass pass)
    {
        // Columns column..column+height of rows first..first+depth as a tile [depth][height].
        public void Pack(long first, nint depth, int column, int height, float* tile)
        {
            (_, int steps, int batch, int inputs, int hidden) = pass.Shape;
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
            GemmPacking.PackTile(pass.Output + row * pass.Shape.Hidden + column, pass.Shape.Hidden, depth, height, tile);

        private float At(long row, int column)
        {
            (_, int steps, int batch, int inputs, int hidden) = pass.Shape;
            if (column >= hidden + inputs) return 1;
            if (column >= hidden) return pass.Input[row * inputs + (column - hidden)];
            long before = pass.Shape.IsReverse ? row + batch : row - batch;
            if (before >= 0 && before < steps * (long)batch) return pass.Output[before * hidden + column];
            return pass.InitialHidden == null ? 0 : pass.InitialHidden[row % batch * hidden + column];
        }
    }
}
