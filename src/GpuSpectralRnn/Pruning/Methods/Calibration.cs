using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>How statistics are collected for a compression.</summary>
public sealed record CalibrationSettings
{
    /// <summary>Sequences at a time.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Sequences for the second moments; 0 for all.</summary>
    public int Sequences { get; init; }

    /// <summary>The most sequences for gradients and least-squares refits.</summary>
    public int GradientSequences { get; init; } = 2000;

    /// <summary>
    /// Random directions of the outputs per sequence for the adjoint matrix. A network that answers at every step takes one for each step, and no
    /// more.
    /// </summary>
    public int Probes { get; init; } = 4;

    /// <summary>Share of the sequences held apart to judge candidates by; they take no part in any statistics.</summary>
    public double HeldApart { get; init; } = 0.2;

    /// <summary>Seed of the probes and of random selections.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Called as collection goes on.</summary>
    public Action<string>? Progress { get; init; }
}

/// <summary>
/// A network and the calibration inputs to compress it by. Labels are never looked at. Statistics are collected when first asked for, and kept.
/// </summary>
public sealed class Calibration
{
    /// <summary>From about this many classes on, gradients in the Fisher metric say more than those of every logit alike.</summary>
    private const int ManyClasses = 100;

    /// <summary>Outputs that a batch may have: a network that answers at every step with many classes takes fewer sequences at a time.</summary>
    private const int BatchOutputs = 1 << 24;

    /// <summary>Columns of a stream that are read side by side: each starts from a state of zero, so that few are better than many.</summary>
    private const int Columns = 20;

    /// <summary>Answers of a network that answers at every step that gradients and refits take, and those that candidates are judged by.</summary>
    private const int GradientAnswers = 40_000, JudgedAnswers = 20_000;

    private readonly Dictionary<AdjointMetric, AdjointStatistics[]> adjoints = [];
    private readonly float[] parameters; // one copy for all that looks at them
    private StateStatistics[]? states, weightedStates;
    private RowSamples[]? rowSamples;

    /// <summary>Checks network and inputs.</summary>
    /// <param name="network">The network to compress; only read.</param>
    /// <param name="inputs">Calibration inputs, with or without labels.</param>
    /// <param name="settings">How to collect; null for the defaults.</param>
    /// <param name="cancellation">Ends a collection with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidCallException">The inputs do not fit, are fewer than two sequences, or a setting is out of range.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite.</exception>
    public Calibration(Network network, ISequenceData inputs, CalibrationSettings? settings = null, CancellationToken cancellation = default)
    {
        Settings = settings ?? new CalibrationSettings();
        Cancellation = cancellation;
        network.Recipe.CheckFits(inputs.Layout, inputs.Name);
        if (Settings.Sequences < 0) throw new InvalidCallException($"{Settings.Sequences} calibration sequences: choose 2 or more, or 0 for all.");
        if (!(Settings.HeldApart > 0 && Settings.HeldApart < 1))
            throw new InvalidCallException($"The share {Settings.HeldApart} to hold apart lies outside 0 to 1; try 0.2.");
        parameters = network.Parameters.ReadFinite();
        ISequenceData all = Settings.Sequences > 0 ? Subset.Limit(inputs, Settings.Sequences) : inputs;
        if (all.Count < 2)
        {
            throw new InvalidCallException(
                $"{inputs.Name} has {all.Count} calibration sequence; give 2 or more, better hundreds: some to measure by, some to judge by.");
        }

        Network = network;
        Weights = NetworkWeights.Read(network, parameters);
        (Inputs, Held) = Subset.HoldOut(all, Math.Clamp((int)(all.Count * Settings.HeldApart), 1, all.Count - 1));
        GradientInputs = Subset.Limit(Inputs, Settings.GradientSequences);
        BatchSize = inputs.Layout.IsStream ? Math.Min(Columns, Settings.BatchSize) : Settings.BatchSize;
        if (!network.Graph.AnswersEveryStep) return;
        int steps = inputs.Layout.Steps;
        BatchSize = (int)Math.Clamp(BatchOutputs / ((long)steps * network.Graph.Outputs[0].Width), 1, BatchSize);
        GradientInputs = Subset.Limit(GradientInputs, (GradientAnswers + steps - 1) / steps);
        Held = Subset.Limit(Held, (JudgedAnswers + steps - 1) / steps);
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Its weights on the host.</summary>
    public NetworkWeights Weights { get; }

    /// <summary>What statistics are taken from.</summary>
    public ISequenceData Inputs { get; }

    /// <summary>The part of <see cref="Inputs"/> that gradients and refits are taken from.</summary>
    public ISequenceData GradientInputs { get; }

    /// <summary>What candidates are judged by; apart from <see cref="Inputs"/>.</summary>
    public ISequenceData Held { get; }

    /// <summary>How statistics are collected.</summary>
    public CalibrationSettings Settings { get; }

    /// <summary>Ends long work.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Sequences at a time, as many as the outputs have room for.</summary>
    public int BatchSize { get; }

    /// <summary>Random directions of the outputs per sequence.</summary>
    public int Probes => Network.Graph.AnswersEveryStep ? 1 : Settings.Probes;

    /// <summary>How the outputs are weighed where nothing else is asked for: in the Fisher metric from 100 classes on, else alike.</summary>
    public AdjointMetric Metric =>
        Network.Recipe.Task == TaskKind.Classification && Network.Graph.Outputs[0].Width >= ManyClasses
            ? AdjointMetric.Fisher
            : AdjointMetric.Identity;

    /// <summary>
    /// S of an axis, plain or weighted by time.
    /// </summary>
    /// <param name="recurrence">The axis' place in <see cref="Graph.PrunableAxes"/>, here as in what follows.</param>
    /// <param name="isTimeWeighted">Whether steps weigh by their adjoint's size.</param>
    public Matrix Gram(int recurrence, bool isTimeWeighted = false) =>
        isTimeWeighted ? WeightedStates[recurrence].TimeWeighted : States[recurrence].SecondMoments.Mean();

    /// <summary>Mean hidden state of a recurrence [m].</summary>
    public double[] Mean(int recurrence) => States[recurrence].Mean;

    /// <summary>The covariance S - mean mean^T of a recurrence, every step alike.</summary>
    public Matrix CentredGram(int recurrence)
    {
        Matrix gram = Gram(recurrence).Clone();
        double[] mean = Mean(recurrence);
        for (int i = 0; i < mean.Length; i++)
            for (int j = 0; j < mean.Length; j++) gram[i, j] -= mean[i] * mean[j];
        return gram;
    }

    /// <summary>The ridge that suits an axis: that of its recurrence's cell, or of the network's first.</summary>
    public double DefaultRidge(PrunableAxis axis) =>
        Ridge.Default((Network.Graph.Recurrence(axis.Axis)
            ?? Network.Graph.Nodes.Select(node => node.Module).OfType<Recurrent>().FirstOrDefault())?.Cell
            ?? Cell.RnnTanh);

    /// <summary>G of a recurrence in the metric of <see cref="Metric"/>.</summary>
    public AdjointStatistics Adjoint(int recurrence) => Adjoint(recurrence, Metric);

    /// <summary>What rows are fitted again on, one for each recurrence.</summary>
    internal RowSamples[] RowSamples => rowSamples ??= Pruning.RowSamples.Collect(this);

    /// <summary>G of a recurrence.</summary>
    public AdjointStatistics Adjoint(int recurrence, AdjointMetric metric)
    {
        if (!adjoints.TryGetValue(metric, out AdjointStatistics[]? found))
        {
            Settings.Progress?.Invoke($"gradients of {GradientInputs.Count:N0} sequences, {Probes} probes each, metric {metric.Name()}");
            found = Collector(GradientInputs).CollectAdjoint(metric, Probes, Settings.Seed, Cancellation);
            adjoints[metric] = found;
        }

        return found[recurrence];
    }

    private StateStatistics[] States => states ?? weightedStates ?? (states = Collect(null));

    private StateStatistics[] WeightedStates =>
        weightedStates ??= Collect([.. Network.Graph.PrunableAxes.Select((_, i) => Adjoint(i).StepWeights)]);

    private StatisticsCollector Collector(ISequenceData data) => new(Network, data, BatchSize, parameters);

    private StateStatistics[] Collect(IReadOnlyList<double[]>? weights)
    {
        Settings.Progress?.Invoke($"second moments of {Inputs.Count:N0} sequences{(weights is null ? "" : ", weighted by time")}");
        StateStatistics[] result = Collector(Inputs).CollectStates(weights, Cancellation);
        Cancellation.ThrowIfCancellationRequested();
        return result;
    }
}
