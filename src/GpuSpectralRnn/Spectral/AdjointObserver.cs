using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Forms g_t = consumers' gradient + W_hh^T (gradient at the recurrent product of the step walked next) during backward passes, and sums g g^T and
/// ||g_t||^2. The cell's own memory (the state c of an LSTM, z h of a GRU) is no path on which a reconstruction stands for h, and takes no part.
/// </summary>
internal sealed class AdjointObserver : IBackwardObserver, IDisposable
{
    private readonly Network network;
    private readonly int steps;
    private readonly Disposables owned = new();
    private readonly Tensor memory;
    private readonly Tensor zeros;
    private readonly GramSums[] grams;
    private readonly LossTotals[][] squares;
    private readonly double[] counts; // of sequences, step by step
    private int batch;
    private Tensor? counted;

    /// <summary>Makes room for batches of up to <paramref name="capacity"/> sequences.</summary>
    public AdjointObserver(Network network, int steps, int capacity)
    {
        (this.network, this.steps) = (network, steps);
        IBackend backend = network.Backend;
        int[] units = StatisticsCollector.Units(network.Architecture);
        int widest = units.Max();
        memory = owned.Keep(backend.Allocate(new Shape(steps * capacity * widest)));
        zeros = owned.Keep(backend.Allocate(new Shape(capacity * widest)));
        grams = [.. units.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
        squares = [.. units.Select(
            _ => Enumerable.Range(0, steps).Select(_ => owned.Keep(backend.Loss.CreateTotals())).ToArray())];
        counts = new double[steps];
    }

    /// <summary>A backward pass of so many sequences follows; padding, where the mask is zero, does not count.</summary>
    public void Begin(int size, float[]? mask = null)
    {
        batch = size;
        counted?.Dispose();
        counted = mask is null ? null : StatisticsCollector.Upload(network.Backend, mask);
        for (int t = 0; t < steps; t++) counts[t] += mask is null ? size : mask.AsSpan(t * size, size).ToArray().Sum();
    }

    /// <inheritdoc/>
    public void Enter(int recurrence, Tensor consumerGradient, int from)
    {
        int row = batch * network.Architecture.RecurrenceUnits(recurrence), count = (steps - from) * row;
        (int first, int empty) = network.Architecture.IsReverse(recurrence) ? (0, count) : (from * row, 0);
        if (from > 0) network.Backend.Fill(memory.View(empty, from * row), 0);
        network.Backend.Copy(consumerGradient.View(first, count), memory.View(first, count));
    }

    /// <inheritdoc/>
    public void Leave(int recurrence, Tensor productGradient)
    {
        IBackend backend = network.Backend;
        Architecture architecture = network.Architecture;
        int hidden = architecture.RecurrenceUnits(recurrence), width = productGradient.Shape.Columns, rows = (steps - 1) * batch;
        bool isReverse = architecture.IsReverse(recurrence);
        if (rows > 0)
        {
            (int next, int own) = isReverse ? (0, batch) : (batch, 0);
            Tensor weights = network.Parameters.Layer(recurrence / architecture.Directions, isReverse).HiddenWeights;
            Tensor products = productGradient.View((long)next * width, rows, width); // [(T-1) B, G*H]
            backend.Matrix.Gemm(false, false, 1, products, weights, 1, memory.View((long)own * hidden, rows, hidden));
        }

        Add(recurrence, memory.View(0, steps, batch, hidden));
    }

    /// <inheritdoc/>
    public void Inputs(Tensor gradient) => Add(network.Architecture.Recurrences, gradient);

    /// <summary>The means over everything seen.</summary>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] Read()
    {
        AdjointStatistics[] result = new AdjointStatistics[grams.Length];
        for (int i = 0; i < grams.Length; i++)
        {
            (Matrix sums, double count) = StatisticsCollector.Read(grams[i]);
            string name = StatisticsCollector.Name(network.Architecture, i);
            if (!sums.IsFinite())
                throw new RunFailedException($"The gradients of {name} explode to NaN or infinity over {steps} steps; use the paper's criterion, which needs none.");
            double[] weights = [.. squares[i].Select((totals, t) => counts[t] > 0 ? totals.Read().Loss * grams[i].Units / counts[t] : 0)];
            result[i] = new AdjointStatistics(1 / Math.Max(1, count) * sums, weights);
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        counted?.Dispose();
        owned.Dispose();
    }

    // g [T, B, m] is zero where there is padding.
    private void Add(int index, Tensor g)
    {
        grams[index].Add(g, counted);
        Tensor nothing = zeros.View(0, batch, g.Shape.Columns);
        for (int t = 0; t < steps; t++) network.Backend.Loss.MeanSquaredError(g.Slice(t), nothing, 1, null, squares[index][t]);
    }
}
