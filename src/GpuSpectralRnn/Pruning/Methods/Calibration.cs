using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>Settings for the collection of a compression's statistics.</summary>
public sealed record CalibrationSettings
{
    /// <summary>Sequences per batch.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Number of sequences for the second moments; 0 for all.</summary>
    public int Sequences { get; init; }

    /// <summary>Largest number of sequences for gradients and least-squares refits.</summary>
    public int GradientSequences { get; init; } = 2000;

    /// <summary>
    /// Random output vectors (probes) per sequence for the adjoint matrix. A network with an output at every step takes one per step.
    /// </summary>
    public int Probes { get; init; } = 4;

    /// <summary>Fraction of the sequences that neither statistics nor refinement see. Two fifths of these only judge the result.</summary>
    public double HeldApart { get; init; } = 0.2;

    /// <summary>Seed of the probes and of random selections.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Receives messages on the progress of collection.</summary>
    public Action<string>? Progress { get; init; }
}

/// <summary>
/// A network and the calibration inputs for its compression. Labels are not used. Statistics are collected on first use and cached. The inputs are
/// divided once, in their order: the first four fifths (by default) give the statistics and are what refinement sees; of the last fifth the first
/// three fifths are what candidates and rates are chosen by, and the last two only judge the result.
/// </summary>
public sealed class Calibration
{
    /// <summary>Number of classes from which the Fisher metric is the default: it then gives better selections than the identity.</summary>
    private const int ManyClasses = 100;

    /// <summary>Largest number of outputs of a batch: a network with many classes at every step takes smaller batches.</summary>
    private const int BatchOutputs = 1 << 24;

    /// <summary>Parallel columns of a stream: few, because each starts from a zero state.</summary>
    private const int Columns = 20;

    /// <summary>Output rows for gradients and refits, and for comparing candidates, of a network with an output at every step.</summary>
    private const int GradientAnswers = 40_000, JudgedAnswers = 20_000;

    // What the first member asks the others to collect with it.
    private enum Collection
    {
        None,
        Adjoints,
        States,
        WeightedStates,
    }

    private readonly Dictionary<AdjointMetric, AdjointStatistics[]> adjoints = [];
    private readonly Dictionary<int, Matrix> grams = [];
    private readonly float[] parameters; // one copy for all that looks at them
    private StateStatistics[]? states, weightedStates;
    private IReadOnlyDictionary<string, RowSamples>? rowSamples;

    /// <summary>Checks network and inputs; collects nothing yet.</summary>
    /// <param name="network">The network to compress; not changed.</param>
    /// <param name="inputs">Calibration inputs, with or without labels.</param>
    /// <param name="settings">Settings; null for the defaults.</param>
    /// <param name="cancellation">Ends a collection with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidCallException">The inputs do not fit, are fewer than three sequences, or a setting is out of range.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite.</exception>
    public Calibration(Network network, ISequenceData inputs, CalibrationSettings? settings = null, CancellationToken cancellation = default)
    {
        Settings = settings ?? new CalibrationSettings();
        Cancellation = cancellation;
        network.Recipe.CheckFits(inputs.Layout, inputs.Name);
        if (Settings.Sequences < 0) throw new InvalidCallException($"{Settings.Sequences} calibration sequences: choose 3 or more, or 0 for all.");
        if (!(Settings.HeldApart > 0 && Settings.HeldApart < 1))
            throw new InvalidCallException($"The share {Settings.HeldApart} to hold apart lies outside 0 to 1; try 0.2.");
        parameters = network.Parameters.ReadFinite();
        ISequenceData all = Settings.Sequences > 0 ? Subset.Limit(inputs, Settings.Sequences) : inputs;
        if (all.Count < 3)
        {
            throw new InvalidCallException(
                $"{inputs.Name} has {all.Count} calibration sequence{(all.Count == 1 ? "" : "s")}; give 3 or more, better hundreds: some to measure by, "
                + "some to choose by, some to judge by.");
        }

        Network = network;
        Weights = NetworkWeights.Read(network, parameters);
        (Inputs, ISequenceData apart) = Subset.HoldOut(all, Math.Clamp((int)(all.Count * Settings.HeldApart), 2, all.Count - 1));
        (Held, Judged) = Subset.HoldOut(apart, Math.Max(1, apart.Count * 2 / 5));
        GradientInputs = Subset.Limit(Inputs, Settings.GradientSequences);
        BatchSize = inputs.Layout.IsStream ? Math.Min(Columns, Settings.BatchSize) : Settings.BatchSize;
        if (!network.Graph.AnswersEveryStep) return;
        int steps = inputs.Layout.Steps;
        BatchSize = (int)Math.Clamp(BatchOutputs / ((long)steps * network.Graph.Outputs[0].Width), 1, BatchSize);
        GradientInputs = Subset.Limit(GradientInputs, (GradientAnswers + steps - 1) / steps);
        Held = Subset.Limit(Held, (JudgedAnswers + steps - 1) / steps);
        Judged = Subset.Limit(Judged, (JudgedAnswers + steps - 1) / steps);
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Its weights on the host.</summary>
    public NetworkWeights Weights { get; }

    /// <summary>Inputs of the statistics and of refinement.</summary>
    public ISequenceData Inputs { get; }

    /// <summary>The part of <see cref="Inputs"/> for gradients and refits.</summary>
    public ISequenceData GradientInputs { get; }

    /// <summary>Inputs by which candidates and rates are chosen; disjoint from <see cref="Inputs"/>.</summary>
    public ISequenceData Held { get; }

    /// <summary>Inputs that judge the result; disjoint from <see cref="Inputs"/> and <see cref="Held"/>.</summary>
    public ISequenceData Judged { get; }

    /// <summary>Settings of the collection.</summary>
    public CalibrationSettings Settings { get; }

    /// <summary>Cancels collections.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>
    /// Who collects statistics together. The first member compresses and asks for them as it needs them; the others, with a calibration made of the same
    /// network and inputs, are in <see cref="Serve"/> meanwhile.
    /// </summary>
    public IReplicas Replicas { get; init; } = LocalReplicas.Instance;

    /// <summary>Sequences per batch, limited by the memory of the outputs.</summary>
    public int BatchSize { get; }

    /// <summary>Random output vectors per sequence.</summary>
    public int Probes => Network.Graph.AnswersEveryStep ? 1 : Settings.Probes;

    /// <summary>The default metric of the outputs: Fisher for classifiers from 100 classes on, else the identity.</summary>
    public AdjointMetric Metric =>
        Network.Recipe.Task == TaskKind.Classification && Network.Graph.Outputs[0].Width >= ManyClasses
            ? AdjointMetric.Fisher
            : AdjointMetric.Identity;

    /// <summary>The Gram matrix S [m, m] of an axis.</summary>
    /// <param name="axis">Index of the axis in <see cref="Graph.PrunableAxes"/>.</param>
    /// <param name="isTimeWeighted">Whether steps are weighted by their mean squared adjoint, w_t.</param>
    public Matrix Gram(int axis, bool isTimeWeighted = false) =>
        isTimeWeighted ? WeightedStates[axis].TimeWeighted
        : grams.TryGetValue(axis, out Matrix? known) ? known
        : grams[axis] = States[axis].SecondMoments.Mean();

    /// <summary>The mean state [m] of an axis, with equal weights for all steps.</summary>
    /// <param name="axis">Index of the axis in <see cref="Graph.PrunableAxes"/>.</param>
    public double[] Mean(int axis) => States[axis].Mean;

    /// <summary>The covariance S - mean mean^T [m, m] of an axis, with equal weights for all steps.</summary>
    /// <param name="axis">Index of the axis in <see cref="Graph.PrunableAxes"/>.</param>
    public Matrix CentredGram(int axis)
    {
        Matrix gram = Gram(axis).Clone();
        double[] mean = Mean(axis);
        for (int i = 0; i < mean.Length; i++)
            for (int j = 0; j < mean.Length; j++) gram[i, j] -= mean[i] * mean[j];
        return gram;
    }

    /// <summary>The default ridge of an axis relative to Tr S / m (<see cref="Ridge.Default(Graph, PrunableAxis)"/>).</summary>
    public double DefaultRidge(PrunableAxis axis) => Ridge.Default(Network.Graph, axis);

    /// <summary>Collects what the first member asks for, until it calls <see cref="Release"/>; for the other members.</summary>
    public void Serve()
    {
        while (true)
        {
            Span<int> request = [0, 0];
            Replicas.Broadcast(request);
            if ((Collection)request[0] == Collection.None) return;
            try
            {
                _ = (Collection)request[0] switch
                {
                    Collection.Adjoints => Adjoint(0, (AdjointMetric)request[1]).StepWeights,
                    Collection.States => States[0].Mean,
                    _ => WeightedStates[0].Mean,
                };
            }
            catch (RunFailedException)
            {
                // Gradients that explode do so at all members, and the first one decides what becomes of it.
            }
        }
    }

    /// <summary>Lets the other members go, once nothing more is collected; for the first one.</summary>
    public void Release() => Ask(Collection.None);

    /// <summary>G and the step weights of an axis in the default <see cref="Metric"/>.</summary>
    /// <param name="axis">Index of the axis in <see cref="Graph.PrunableAxes"/>.</param>
    public AdjointStatistics Adjoint(int axis) => Adjoint(axis, Metric);

    /// <summary>Samples for the refit of rows, one set for each recurrence.</summary>
    internal IReadOnlyDictionary<string, RowSamples> RowSamples => rowSamples ??= Pruning.RowSamples.Collect(this);

    /// <summary>G and the step weights of an axis.</summary>
    /// <param name="axis">Index of the axis in <see cref="Graph.PrunableAxes"/>.</param>
    /// <param name="metric">Metric of the outputs.</param>
    public AdjointStatistics Adjoint(int axis, AdjointMetric metric)
    {
        if (!adjoints.TryGetValue(metric, out AdjointStatistics[]? found))
        {
            Ask(Collection.Adjoints, (int)metric);
            Settings.Progress?.Invoke($"gradients of {GradientInputs.Count:N0} sequences, {Probes} probes each, metric {metric.Name()}");
            found = Collector(GradientInputs).CollectAdjoint(metric, Probes, Settings.Seed, Cancellation);
            adjoints[metric] = found;
        }

        return found[axis];
    }

    private StateStatistics[] States => states ?? weightedStates ?? (states = Collect(null));

    private StateStatistics[] WeightedStates =>
        weightedStates ??= Collect([.. Network.Graph.PrunableAxes.Select((_, i) => Adjoint(i).StepWeights)]);

    private StatisticsCollector Collector(ISequenceData data) => new(Network, data, BatchSize, parameters) { Replicas = Replicas };

    private StateStatistics[] Collect(IReadOnlyList<double[]>? weights)
    {
        Ask(weights is null ? Collection.States : Collection.WeightedStates);
        Settings.Progress?.Invoke($"second moments of {Inputs.Count:N0} sequences{(weights is null ? "" : ", weighted by time")}");
        StateStatistics[] result = Collector(Inputs).CollectStates(weights, Cancellation);
        Cancellation.ThrowIfCancellationRequested();
        return result;
    }

    private void Ask(Collection what, int metric = 0)
    {
        if (Replicas.Size == 1 || Replicas.Rank > 0) return;
        Span<int> request = [(int)what, metric];
        Replicas.Broadcast(request);
    }
}
