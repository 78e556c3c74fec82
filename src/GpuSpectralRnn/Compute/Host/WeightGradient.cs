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

    /// <summary>
    /// Adds the gradients. delta [steps, batch, H]; states [steps, batch, H], of which h_{t-1} are taken; initial [batch, H] or null for zero;
    /// input [steps, batch, inputs].
    /// </summary>
    public void Add(
        RecurrentShape shape,
        float* delta,
        float* states,
        float* initial,
        float* input,
        float* inputWeights,
        float* hiddenWeights,
        float* inputBias,
        float* hiddenBias)
    {
        Source source = new(shape, states, initial, input);
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

    // The left operand [h_{t-1} | x_t | 1], whose row r is sequence r % B at step r / B.
    private readonly struct Source(RecurrentShape shape, float* states, float* initial, float* input)
    {
        // Columns column..column+height of rows first..first+depth as a tile [depth][height].
        public void Pack(long first, nint depth, int column, int height, float* tile)
        {
            (_, _, int batch, int inputs, int hidden) = shape;
            if (column + height <= hidden)
            {
                nint before = (nint)Math.Clamp(batch - first, 0, depth); // rows of step 0, before which h_0 stands
                if (initial == null) new Span<float>(tile, (int)before * height).Clear();
                else GemmPacking.PackTile(initial + first * hidden + column, hidden, before, height, tile);
                GemmPacking.PackTile(states + (first + before - batch) * hidden + column, hidden, depth - before, height, tile + before * height);
            }
            else if (column >= hidden && column + height <= hidden + inputs)
            {
                GemmPacking.PackTile(input + first * inputs + (column - hidden), inputs, depth, height, tile);
            }
            else
            {
                for (nint l = 0; l < depth; l++)
                {
                    for (int i = 0; i < height; i++) tile[l * height + i] = At(first + l, column + i);
                }
            }
        }

        private float At(long row, int column)
        {
            (_, _, int batch, int inputs, int hidden) = shape;
            if (column >= hidden + inputs) return 1;
            if (column >= hidden) return input[row * inputs + (column - hidden)];
            return row >= batch ? states[(row - batch) * hidden + column] : initial == null ? 0 : initial[row * hidden + column];
        }
    }
}
