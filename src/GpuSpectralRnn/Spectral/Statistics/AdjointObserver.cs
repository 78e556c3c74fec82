using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
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
    private readonly IReadOnlyList<PrunableAxis> axes;
    private readonly DisposableBag owned = new();
    private readonly Tensor memory;
    private readonly StepWeights weights;
    private readonly GramAccumulator[] grams;
    private readonly StepSquares[] squares;
    private readonly double[] counts; // of sequences, step by step
    private double sequences;
    private int batch;
    private Tensor? counted;
    private double count;

    /// <summary>Makes room for batches of up to <paramref name="capacity"/> sequences.</summary>
    public AdjointObserver(Network network, int steps, int capacity)
    {
        (this.network, this.steps, axes) = (network, steps, network.Graph.PrunableAxes);
        IBackend backend = network.Backend;
        int widest = axes.Max(axis => axis.Units);
        try
        {
            memory = owned.Keep(backend.Allocate(new Shape(Extents.Product(
                $"The adjoint of {steps} steps of {capacity} sequences and {widest} units", "make the batch smaller", steps, capacity, widest))));
            weights = owned.Keep(StepWeights.Ones(backend, steps, capacity));
            grams = [.. axes.Select(axis => owned.Keep(backend.Spectral.CreateGram(axis.Units)))];
            squares = [.. axes.Select(axis => owned.Keep(backend.Spectral.CreateStepSquares(IsVector(axis) ? 1 : steps)))];
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
        sequences += batch;
        (Tensor ones, count) = weights.For(current, lengths);
        counted = current.Lengths is null ? null : ones;
        foreach (int length in lengths)
            for (int t = 0; t < length; t++) counts[t]++;
    }

    /// <inheritdoc/>
    public void Gradient(Value value, Tensor gradient, int from)
    {
        for (int i = 0; i < axes.Count; i++)
        {
            if (axes[i].Carrier.Name != value.Name) continue;
            if (network.Graph.Node(value.Name).Module is Recurrent recurrent) Keep(recurrent, axes[i].Units, gradient, from);
            else Add(i, value.Units.Count == 1 ? gradient : Columns(axes[i], gradient));
        }
    }

    /// <inheritdoc/>
    public void Products(UnitAxis axis, Tensor gradient)
    {
        int index = axes.TakeWhile(own => own.Name != axis.Name).Count();
        if (index == axes.Count || network.Graph.Node(axes[index].Carrier.Name).Module is not Recurrent recurrent) return;
        IBackend backend = network.Backend;
        int hidden = axis.Size, width = gradient.Shape.Columns, rows = (steps - 1) * batch;
        if (rows > 0)
        {
            (int next, int own) = recurrent.IsReverse ? (0, batch) : (batch, 0);
            Tensor hiddenWeights = network.Parameters.Formed(recurrent.HiddenWeight);
            Tensor products = gradient.View((long)next * width, rows, width); // [(T-1) B, G*H]
            backend.Matrix.Gemm(false, false, 1, products, hiddenWeights, 1, memory.View((long)own * hidden, rows, hidden));
        }

        Add(index, memory.View(0, steps, batch, hidden));
    }

    /// <summary>The means over everything seen.</summary>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] Read()
    {
        AdjointStatistics[] result = new AdjointStatistics[grams.Length];
        for (int i = 0; i < grams.Length; i++)
        {
            (Matrix sums, double count) = StatisticsCollector.Read(grams[i]);
            if (!sums.IsFinite())
                throw new RunFailedException(
                    $"The gradients of {axes[i].Name} explode to NaN or infinity over {steps} steps; use the paper's criterion, which needs none.");
            double[] counted = IsVector(axes[i]) ? [sequences] : counts, perStep = new double[counted.Length];
            squares[i].Read(perStep);
            for (int t = 0; t < perStep.Length; t++) perStep[t] = counted[t] > 0 ? perStep[t] * grams[i].Units / counted[t] : 0;
            result[i] = new AdjointStatistics(1 / Math.Max(1, count) * sums, perStep);
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    private static bool IsVector(PrunableAxis axis) => axis.Carrier.Kind == ValueKind.Vector;

    // The consumers' part of g, to which that of the recurrence is added once it is known.
    private void Keep(Recurrent recurrent, int units, Tensor gradient, int from)
    {
        int row = batch * units, count = (steps - from) * row;
        (int first, int empty) = recurrent.IsReverse ? (0, count) : (from * row, 0);
        if (from > 0) network.Backend.Fill(memory.View(empty, from * row), 0);
        network.Backend.Copy(gradient.View(first, count), memory.View(first, count));
    }

    private Tensor Columns(PrunableAxis axis, Tensor gradient)
    {
        Tensor part = IsVector(axis) ? memory.View(0, batch, axis.Units) : memory.View(0, steps, batch, axis.Units);
        network.Backend.Matrix.CopyColumns(gradient, axis.FirstColumn, part, 0, axis.Units);
        return part;
    }

    // g [T, B, m], zero where there is padding, or [B, m].
    private void Add(int index, Tensor g)
    {
        if (IsVector(axes[index])) grams[index].Add(g);
        else grams[index].Add(g, counted, count);
        squares[index].Add(IsVector(axes[index]) ? g.View(0, 1, batch, axes[index].Units) : g);
    }
}
