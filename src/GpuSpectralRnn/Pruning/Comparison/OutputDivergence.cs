using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>Divergence of a small network's outputs from the big network's, without labels.</summary>
/// <param name="Divergence">
/// Mean over the outputs' rows of KL(softmax big || softmax small) in nats; of a regression the mean squared difference.
/// </param>
/// <param name="Agreement">Share of rows with the same class; null for a regression.</param>
public sealed record OutputDivergence(double Divergence, double? Agreement)
{
    /// <summary>Measures on the inputs that the calibration chooses by.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static OutputDivergence Measure(Calibration calibration, Network small) =>
        Measure(calibration.Network, small, calibration.Held, calibration.BatchSize, calibration.Cancellation);

    /// <summary>Measures on the inputs that nothing in the making of the small network has seen.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static OutputDivergence Judge(Calibration calibration, Network small) =>
        Measure(calibration.Network, small, calibration.Judged, calibration.BatchSize, calibration.Cancellation);

    /// <summary>Applies a plan and measures the small network on the inputs that the calibration chooses by.</summary>
    public static OutputDivergence Measure(Calibration calibration, PruningPlan plan)
    {
        using DivergenceMeter meter = DivergenceMeter.OfChoice(calibration);
        return meter.Measure(calibration.Weights, plan);
    }

    /// <summary>Measures on given inputs.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static OutputDivergence Measure(Network big, Network small, ISequenceData inputs, int batchSize, CancellationToken cancellation = default)
    {
        using DivergenceMeter meter = new(big, inputs, batchSize, cancellation);
        return meter.Measure(small);
    }

    /// <summary>
    /// The loss of an output of the small network against the big network's, and its gradient where wanted. Outputs of padding are set equal in both.
    /// </summary>
    internal static void Add(
        Network big, SequenceBatch batch, int output, Tensor wanted, Tensor small, float scale, Tensor? gradient, LossTotals totals)
    {
        ILossOps loss = small.Backend.Loss;
        Value value = big.Graph.Outputs[output];
        if (value.Kind == ValueKind.Sequence && batch[big.Graph.FieldIndex(value)].Lengths is { } lengths)
        {
            small.Backend.Matrix.ClearPadding(new(wanted, lengths));
            small.Backend.Matrix.ClearPadding(new(small, lengths));
        }

        if (big.Recipe.Task == TaskKind.Classification) loss.SoftmaxDivergence(new(small, wanted, scale, gradient, totals));
        else loss.MeanSquaredError(new(small, wanted, scale, gradient, totals));
    }

    /// <summary>For example <c>KL 0.1312, agreement 94.1 %</c>, or <c>mean squared difference 0.0021</c>.</summary>
    public override string ToString() =>
        Agreement is { } share
            ? $"KL {Evaluation.Shown(Divergence)}, agreement {100 * share:0.0} %"
            : $"mean squared difference {Evaluation.Shown(Divergence)}";
}
