using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
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

    /// <summary>Random directions of the outputs per sequence for the adjoint matrix.</summary>
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
    private readonly Dictionary<AdjointMetric, AdjointStatistics[]> adjoints = [];
    private StateStatistics[]? states, weightedStates;

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
        network.Architecture.CheckFits(inputs.Layout, inputs.Name);
        if (Settings.Sequences < 0) throw new InvalidCallException($"{Settings.Sequences} calibration sequences: choose 2 or more, or 0 for all.");
        if (!(Settings.HeldApart > 0 && Settings.HeldApart < 1))
            throw new InvalidCallException($"The share {Settings.HeldApart} to hold apart lies outside 0 to 1; try 0.2.");
        if (network.Parameters.FindNotFinite(network.Parameters.Values.ToArray()) is { } bad)
            throw new RunFailedException(
                $"{bad.Name} holds {bad.Value} at index {bad.Index}. The model is broken; train it again or take an earlier one.");
        ISequenceData all = Settings.Sequences > 0 ? Subset.Limit(inputs, Settings.Sequences) : inputs;
        if (all.Count < 2)
        {
            throw new InvalidCallException(
                $"{inputs.Name} has {all.Count} calibration sequence; give 2 or more, better hundreds: some to measure by, some to judge by.");
        }

        Network = network;
        Weights = NetworkWeights.Read(network);
        (Inputs, Held) = Subset.HoldOut(all, Math.Clamp((int)(all.Count * Settings.HeldApart), 1, all.Count - 1));
        GradientInputs = Subset.Limit(Inputs, Settings.GradientSequences);
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

    /// <summary>S of a recurrence, plain or weighted by time.</summary>
    public Matrix Gram(int recurrence, bool isTimeWeighted = false) =>
        isTimeWeighted ? WeightedStates[recurrence].TimeWeighted : States[recurrence].Covariance.Mean();

    /// <summary>Mean hidden state of a recurrence [m].</summary>
    public double[] Mean(int recurrence) => States[recurrence].Mean;

    /// <summary>G of a recurrence.</summary>
    public AdjointStatistics Adjoint(int recurrence, AdjointMetric metric = AdjointMetric.Identity)
    {
        if (!adjoints.TryGetValue(metric, out AdjointStatistics[]? found))
        {
            Settings.Progress?.Invoke($"gradients of {GradientInputs.Count:N0} sequences, {Settings.Probes} probes each, metric {metric.Name()}");
            found = Collector(GradientInputs).CollectAdjoint(metric, Settings.Probes, Settings.Seed, Cancellation);
            adjoints[metric] = found;
        }

        return found[recurrence];
    }

    private StateStatistics[] States => states ?? weightedStates ?? (states = Collect(null));

    private StateStatistics[] WeightedStates =>
        weightedStates ??= Collect([.. Enumerable.Range(0, Network.Architecture.Recurrences).Select(r => Adjoint(r).StepWeights)]);

    private StatisticsCollector Collector(ISequenceData data) => new(Network, data, Settings.BatchSize);

    private StateStatistics[] Collect(IReadOnlyList<double[]>? weights)
    {
        Settings.Progress?.Invoke($"second moments of {Inputs.Count:N0} sequences{(weights is null ? "" : ", weighted by time")}");
        StateStatistics[] result = Collector(Inputs).CollectStates(weights, Cancellation);
        Cancellation.ThrowIfCancellationRequested();
        return result;
    }
}
