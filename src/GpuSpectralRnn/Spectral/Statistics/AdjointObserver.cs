using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Forms g_t = consumers' gradient + W_hh^T (gradient at the recurrent product of the step walked next) during backward passes, and sums g g^T and
/// ||g_t||^2. The cell's own memory (the state c of an LSTM, z h of a GRU) is no path on which a reconstruction stands for h, and takes no part.
/// </summary>
internal sealed class AdjointObserver : IBackwardObserver, IDisposable
{
    private readonly Network network;
    private readonly int steps;
    private readonly DisposableBag owned = new();
    private readonly Tensor memory;
    private readonly StepWeights weights;
    private readonly GramAccumulator[] grams;
    private readonly StepSquares[] squares;
    private readonly double[] counts; // of sequences, step by step
    private int batch;
    private Tensor? counted;
    private double count;

    /// <summary>Makes room for batches of up to <paramref name="capacity"/> sequences.</summary>
    public AdjointObserver(Network network, int steps, int capacity)
    {
        (this.network, this.steps) = (network, steps);
        IBackend backend = network.Backend;
        int[] units = StatisticsCollector.Units(network.Architecture);
        int widest = units.Max();
        try
        {
            memory = owned.Keep(backend.Allocate(new Shape(Extents.Product(
                $"The adjoint of {steps} steps of {capacity} sequences and {widest} units", "make the batch smaller", steps, capacity, widest))));
            weights = owned.Keep(StepWeights.Ones(backend, steps, capacity));
            grams = [.. units.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
            squares = [.. units.Select(_ => owned.Keep(backend.Spectral.CreateStepSquares(steps)))];
        }
        catch
        {
            owned.Dispose();
            throw;
        }

        counts = new double[steps];
    }

    /// <summary>A backward pass over a batch follows, whose lengths on the processor are [B]; padding does not count.</summary>
    public void Begin(SequenceBatch current, ReadOnlySpan<int> lengths)
    {
        batch = lengths.Length;
        (Tensor ones, count) = weights.For(current, lengths);
        counted = current.Lengths is null ? null : ones;
        foreach (int length in lengths)
            for (int t = 0; t < length; t++) counts[t]++;
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
            Tensor hiddenWeights = network.Parameters.Layer(recurrence / architecture.Directions, isReverse).HiddenWeights;
            Tensor products = productGradient.View((long)next * width, rows, width); // [(T-1) B, G*H]
            backend.Matrix.Gemm(new(false, false, 1, products, hiddenWeights, 1, memory.View((long)own * hidden, rows, hidden)));
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
            double[] perStep = new double[steps];
            squares[i].Read(perStep);
            for (int t = 0; t < steps; t++) perStep[t] = counts[t] > 0 ? perStep[t] * grams[i].Units / counts[t] : 0;
            result[i] = new AdjointStatistics(1 / Math.Max(1, count) * sums, perStep);
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    // g [T, B, m] is zero where there is padding.
    private void Add(int index, Tensor g)
    {
        grams[index].Add(new(g, counted, count));
        squares[index].Add(g);
    }
}
