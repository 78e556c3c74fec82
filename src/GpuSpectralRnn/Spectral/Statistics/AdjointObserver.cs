using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Spectral;

/// <summary>The lengths of a batch's sequences [B] in the field of this index.</summary>
internal delegate ReadOnlySpan<int> FieldLengths(int field);

/// <summary>
/// Computes g_t = consumers' gradient + W_hh^T (gradient at the recurrent product of the step processed next) in backward passes, and accumulates g
/// g^T and ||g_t||^2. The paths of the cell's memory (c of an LSTM, z h of a GRU) are excluded, because a reconstruction does not replace h there.
/// </summary>
internal sealed class AdjointObserver : IBackwardObserver, IDisposable
{
    private readonly Network network;
    private readonly IReadOnlyList<PrunableAxis> axes;
    private readonly DisposableBag owned = new();
    private readonly AxisColumns columns;
    private readonly Tensor memory;
    private readonly StepWeights[] weights; // of each field
    private readonly GramAccumulator[] grams;
    private readonly StepSquares[][] squares; // of each axis and carrier
    private readonly double[][] sequencesAt; // of each field, step by step
    private readonly Tensor?[] counted; // of each field
    private readonly double[] counts; // of each field
    private double sequences;
    private int batch;

    /// <summary>Allocates memory for batches of data of a layout.</summary>
    /// <param name="network">The network whose gradients are observed.</param>
    /// <param name="layout">Layout of the data.</param>
    /// <param name="capacity">Largest number of sequences of a batch.</param>
    public AdjointObserver(Network network, SequenceLayout layout, int capacity)
    {
        (this.network, axes) = (network, network.Graph.PrunableAxes);
        IBackend backend = network.Backend;
        int[] steps = [.. layout.Fields.Select(field => field.Steps)];
        (int widest, int longest) = (axes.Max(axis => axis.Units), steps.Max());
        columns = owned.Keep(new AxisColumns(backend));
        try
        {
            memory = owned.Keep(backend.Allocate(new Shape(Extents.Product(
                $"The adjoint of {longest} steps of {capacity} sequences and {widest} units", "make the batch smaller", longest, capacity, widest))));
            weights = [.. steps.Select(count => owned.Keep(StepWeights.Ones(backend, count, capacity)))];
            grams = [.. axes.Select(axis => owned.Keep(backend.Spectral.CreateGram(axis.Units)))];
            squares = [.. axes.Select(axis =>
                axis.Carriers.Select(carrier => owned.Keep(backend.Spectral.CreateStepSquares(StepsOf(carrier)))).ToArray())];
        }
        catch
        {
            owned.Dispose();
            throw;
        }

        sequencesAt = [.. steps.Select(count => new double[count])];
        (counted, counts) = (new Tensor?[steps.Length], new double[steps.Length]);

        int StepsOf(Value carrier) => carrier.Kind == ValueKind.Vector ? 1 : steps[network.Graph.FieldIndex(carrier)];
    }

    /// <summary>Prepares for the backward pass over a batch; padding is excluded.</summary>
    /// <param name="current">The batch.</param>
    /// <param name="lengthsOf">The lengths of its sequences [B] in host memory, by the field's index.</param>
    public void Begin(SequenceBatch current, FieldLengths lengthsOf)
    {
        batch = current.Size;
        sequences += batch;
        for (int field = 0; field < weights.Length; field++)
        {
            if (current[field].Characters > 0) continue; // the steps are those of the words that they spell
            ReadOnlySpan<int> lengths = lengthsOf(field);
            (Tensor ones, counts[field]) = weights[field].For(current[field].Lengths, lengths);
            counted[field] = current[field].Lengths is null ? null : ones;
            foreach (int length in lengths)
                for (int t = 0; t < length; t++) sequencesAt[field][t]++;
        }
    }

    /// <inheritdoc/>
    public void Gradient(Value value, Tensor gradient, int from)
    {
        for (int i = 0; i < axes.Count; i++)
        {
            if (!axes[i].Carriers.Contains(value)) continue;
            if (network.Graph.Node(value.Name).Module is Recurrent recurrent) Keep(recurrent, value, gradient, from);
            else Add(i, value, columns.Take(axes[i], value, gradient));
        }
    }

    /// <inheritdoc/>
    public void Products(Value states, Tensor gradient)
    {
        int index = axes.TakeWhile(axis => !axis.Carriers.Contains(states)).Count();
        if (index == axes.Count || network.Graph.Node(states.Name).Module is not Recurrent recurrent) return;
        IBackend backend = network.Backend;
        int hidden = states.Width, width = gradient.Shape.Columns, rows = (gradient.Shape[0] - 1) * batch;
        if (rows > 0)
        {
            (int next, int own) = recurrent.IsReverse ? (0, batch) : (batch, 0);
            Tensor hiddenWeights = network.Parameters.Recurrent(recurrent.Name).HiddenWeights;
            Tensor products = gradient.View((long)next * width, rows, width); // [(T-1) B, G*H]
            backend.Matrix.Gemm(new(false, false, 1, products, hiddenWeights, 1, memory.View((long)own * hidden, rows, hidden)));
        }

        Add(index, states, memory.View(0, gradient.Shape[0], batch, hidden));
    }

    /// <summary>The means over all backward passes, of all members of a group.</summary>
    /// <param name="group">Who else observed; left out: nobody.</param>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] Read(IReplicas? group = null)
    {
        IReplicas replicas = group ?? LocalReplicas.Instance;
        sequences = replicas.Sum(sequences);
        foreach (double[] counts in sequencesAt) replicas.Sum<double>(counts);
        AdjointStatistics[] result = new AdjointStatistics[grams.Length];
        for (int i = 0; i < grams.Length; i++)
        {
            (Matrix sums, double count) = StatisticsCollector.Read(grams[i], replicas);
            if (!sums.IsFinite())
                throw new RunFailedException(
                    $"The gradients of {axes[i].Name} explode to NaN or infinity over {sequencesAt.Max(own => own.Length)} steps; " +
                    "use the paper's criterion, which needs none.");
            double[] seen = SequencesAt(axes[i]), perStep = new double[seen.Length];
            foreach (StepSquares own in squares[i])
            {
                double[] part = new double[own.Steps];
                own.Read(part);
                for (int t = 0; t < part.Length; t++) perStep[t] += part[t];
            }

            replicas.Sum<double>(perStep);
            for (int t = 0; t < perStep.Length; t++) perStep[t] = seen[t] > 0 ? perStep[t] * grams[i].Units / seen[t] : 0;
            result[i] = new AdjointStatistics(1 / Math.Max(1, count) * sums, perStep);
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    // Sequences observed at each step, in all carriers of an axis.
    private double[] SequencesAt(PrunableAxis axis)
    {
        if (IsVector(axis)) return [sequences * axis.Carriers.Count];
        double[][] all = [.. axis.Carriers.Select(carrier => sequencesAt[network.Graph.FieldIndex(carrier)])];
        return [.. Enumerable.Range(0, all.Max(own => own.Length)).Select(t => all.Sum(own => t < own.Length ? own[t] : 0))];
    }

    private static bool IsVector(PrunableAxis axis) => axis.Carriers[0].Kind == ValueKind.Vector;

    // The consumers' part of g, to which that of the recurrence is added once it is known.
    private void Keep(Recurrent recurrent, Value states, Tensor gradient, int from)
    {
        int row = batch * states.Width, count = (gradient.Shape[0] - from) * row;
        (int first, int empty) = recurrent.IsReverse ? (0, count) : (from * row, 0);
        if (from > 0) network.Backend.Fill(memory.View(empty, from * row), 0);
        network.Backend.Copy(gradient.View(first, count), memory.View(first, count));
    }

    // g [T, B, m], zero where there is padding, or [B, m].
    private void Add(int index, Value value, Tensor g)
    {
        StepSquares sums = squares[index][axes[index].Carriers.TakeWhile(carrier => carrier != value).Count()];
        if (IsVector(axes[index]))
        {
            grams[index].Add(new(g));
            sums.Add(g.View(0, 1, batch, axes[index].Units));
            return;
        }

        int field = network.Graph.FieldIndex(value);
        grams[index].Add(new(g, counted[field], counts[field]));
        sums.Add(g);
    }
}
