using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>Settings of a bound.</summary>
public sealed record CompressionBoundSettings
{
    /// <summary>The probability of failure.</summary>
    public double Delta { get; init; } = 0.05;

    /// <summary>
    /// M: losses are clipped to [0, M]. Null: log of the number of classes, the loss of the uniform prediction; 1 for a regression.
    /// </summary>
    public double? Ceiling { get; init; }

    /// <summary>R_x, the largest norm of an input; null: that of the data, assumed to hold for unseen inputs too.</summary>
    public double? InputRadius { get; init; }

    /// <summary>Sequences per batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Who collects the second moments together; the others make the same <see cref="StatisticsCollector"/>.</summary>
    public IReplicas Replicas { get; init; } = LocalReplicas.Instance;
}

/// <summary>
/// The bounds of docs/method.md, sections 9.1 and 9.2 (derived for this project; not theorems of the paper), for an Elman network
/// and the smaller one that a plan with a linear fold makes of it.
/// </summary>
/// <param name="Risk">The bound on the compressed network's risk.</param>
/// <param name="Setting">The class of networks and the data that it applies to.</param>
/// <param name="Error">The measured errors.</param>
/// <param name="Upper">The bound of docs/method.md, section 9.1, on ||f - f#||_{n,T}.</param>
/// <param name="Amplification">The factor from the recurrent error to the error of the outputs.</param>
public sealed record CompressionBound(GeneralizationBound Risk, BoundSetting Setting, OutputError Error, double Upper, double Amplification)
{
    /// <summary>Checks that the derivation applies to the network and the data.</summary>
    /// <exception cref="InvalidCallException">
    /// The network is no Elman network of one layer and direction on numbers, the data are one stream, or there are no targets.
    /// </exception>
    public static void Check(Architecture architecture, ISequenceData data)
    {
        if (architecture.Cell.Gates() > 1 || architecture.Recurrences != 1)
        {
            string why = architecture.Cell.Gates() > 1
                ? "a gate multiplies states, whose errors then do not add up as the derivation has it"
                : "the derivation follows the error of one state through time";
            throw new InvalidCallException(
                "The bound is derived for one layer of irnn, rnn-tanh or rnn-relu in one direction; this model has "
                + $"{architecture.Layers} of {architecture.Cell.Name()}{(architecture.IsBidirectional ? " in two directions" : "")}: {why}.");
        }

        if (architecture.HasEmbedding || data.Layout.IsStream)
            throw new InvalidCallException(
                "The bound speaks of independent sequences of numbers; a text is one stream of tokens, and its embedding has parameters of its own.");
        if (data.Layout.Target == TargetKind.None)
            throw new InvalidCallException($"The bound starts from the loss on the data, and {data.Name} has no targets; give labels or values.");
    }

    /// <summary>Computes the bounds.</summary>
    /// <param name="network">f.</param>
    /// <param name="plan">The plan of f#: one layer, units reconstructed linearly, no refit.</param>
    /// <param name="data">The n sequences the network was trained on.</param>
    /// <param name="settings">Settings; null for the defaults.</param>
    /// <param name="cancellation">Stops with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidCallException">Network or data do not fit (<see cref="Check"/>), or a setting is out of range.</exception>
    /// <exception cref="RunFailedException">A parameter or a state is NaN or infinite.</exception>
    public static CompressionBound Compute(
        Network network, PruningPlan plan, ISequenceData data, CompressionBoundSettings? settings = null, CancellationToken cancellation = default)
    {
        settings ??= new CompressionBoundSettings();
        Architecture architecture = network.Architecture;
        Check(architecture, data);
        GeneralizationBound.CheckDelta(settings.Delta);
        bool isClassifier = architecture.Task == TaskKind.Classification;
        double ceiling = settings.Ceiling ?? (isClassifier && architecture.Outputs > 1 ? Math.Log(architecture.Outputs) : 1);

        // Second moments over the same sequences on which the error is measured.
        StateStatistics states = new StatisticsCollector(network, data, settings.BatchSize) { Replicas = settings.Replicas }.CollectStates(cancellation: cancellation)[0];
        cancellation.ThrowIfCancellationRequested();
        NetworkWeights whole = NetworkWeights.Read(network), small = Slicer.Slice(whole, plan);
        using Network compressed = small.ToNetwork(network.Backend);
        OutputError error = OutputError.Measure(network, compressed, data, ceiling, settings.BatchSize, cancellation);

        UnitPlan layer = plan.Axes[0];
        Matrix keep = Matrix.Identity(layer.Units).SelectRows(layer.Kept), lost = Matrix.Identity(layer.Units) - layer.FoldOrSelector() * keep;
        Matrix residual = Matrix.Product(lost * states.SecondMoments.Mean(), lost, transposeB: true); // of h - A h_J
        TimeErrorBound time = new(
            data.Layout.Steps, 1,
            SingularValues.LargestTwo(small.Recurrences[0].Hidden).First, SingularValues.LargestTwo(small.Readout.Weight).First);
        double upper = time.FromErrors(Norm(whole.Readout.Weight, residual), Norm(whole.Recurrences[0].Hidden.SelectRows(layer.Kept), residual));

        BoundSetting setting = new(
            layer.Kept.Length,
            architecture.Inputs,
            architecture.Outputs,
            data.Layout.Steps,
            data.Count,
            settings.InputRadius ?? error.InputRadius,
            ActivationLipschitz: 1,
            LossLipschitz: isClassifier ? Math.Sqrt(2) : 2 * Math.Sqrt(ceiling / architecture.Outputs),
            ceiling);
        if (error.InputRadius > setting.InputRadius)
        {
            throw new InvalidCallException(
                $"`InputRadius` {setting.InputRadius}: an input of {data.Name} is {error.InputRadius:0.####} long; give that or more.");
        }

        LayerWeights weights = small.Recurrences[0];
        NetworkRadii radii = new(
            small.Readout.Weight.FrobeniusNorm(),
            weights.Hidden.FrobeniusNorm(),
            weights.Input.FrobeniusNorm(),
            Length(weights.InputBias.Zip(weights.HiddenBias, (a, b) => a + b)),
            Length(small.Readout.Bias));
        return new CompressionBound(
            GeneralizationBound.Compute(setting, radii, error.Risk, error.AsRead, settings.Delta), setting, error, upper, time.Amplification);
    }

    // ||W e|| for errors e with the second moments R; R is a sum of squares but for rounding.
    private static double Norm(Matrix rows, Matrix residual) => Math.Sqrt(Math.Max(0, Matrix.Inner(Criterion.Output(rows), residual)));

    private static double Length(IEnumerable<double> vector) => Math.Sqrt(vector.Sum(x => x * x));
}
