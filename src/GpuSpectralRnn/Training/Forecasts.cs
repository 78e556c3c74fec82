using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Training;

/// <summary>How far a regression's answers for one target value lie from the truth.</summary>
/// <param name="MeanSquaredError">Mean of the squared differences.</param>
/// <param name="MeanAbsoluteError">Mean of the absolute differences.</param>
/// <param name="Explained">R^2: 1 - mse / variance of the truth; null where the truth is constant.</param>
public sealed record ForecastError(double MeanSquaredError, double MeanAbsoluteError, double? Explained);

/// <summary>A regression's answers beside the truth, over a whole set.</summary>
public sealed class Forecasts
{
    private readonly float[] answers, truths; // [N, D]
    private readonly IReadOnlyList<TargetScale>? scales;

    private Forecasts(int outputs, float[] answers, float[] truths, IReadOnlyList<TargetScale>? scales)
    {
        (Outputs, this.answers, this.truths, this.scales) = (outputs, answers, truths, scales);
        Errors = [.. Enumerable.Range(0, outputs).Select(MeasureError)];
    }

    /// <summary>D, values per sequence.</summary>
    public int Outputs { get; }

    /// <summary>N.</summary>
    public int Count => answers.Length / Outputs;

    /// <summary>The errors of each target value, in its unit.</summary>
    public IReadOnlyList<ForecastError> Errors { get; }

    /// <summary>Asks a network about all sequences.</summary>
    /// <param name="evaluator">The network on the set.</param>
    /// <param name="data">The set, with target values.</param>
    /// <param name="scales">What the values stand for; null: themselves.</param>
    /// <param name="cancellation">Checked between batches.</param>
    public static Forecasts Measure(
        Evaluator evaluator, ISequenceData data, IReadOnlyList<TargetScale>? scales = null, CancellationToken cancellation = default)
    {
        (_, float[] answers) = evaluator.Predict(cancellation);
        float[] truths = new float[answers.Length];
        BatchReader reader = BatchReader.OfLittleMemory(data);
        for (int at = 0; reader.Next(); at += reader.Batch.Values.Length) reader.Batch.Values.CopyTo(truths.AsSpan(at));
        return new Forecasts(data.Layout.Outputs, answers, truths, scales);
    }

    /// <summary>The answer and the truth for a target value of a sequence, in its unit.</summary>
    public (double Answer, double Truth) At(int sequence, int output)
    {
        int at = (sequence * Outputs) + output;
        return scales is null ? (answers[at], truths[at]) : (scales[output].Restore(answers[at]), scales[output].Restore(truths[at]));
    }

    private ForecastError MeasureError(int output)
    {
        double squared = 0, absolute = 0, sum = 0, spread = 0;
        for (int n = 0; n < Count; n++) sum += At(n, output).Truth;
        for (int n = 0; n < Count; n++)
        {
            (double answer, double truth) = At(n, output);
            squared += (answer - truth) * (answer - truth);
            absolute += Math.Abs(answer - truth);
            spread += (truth - (sum / Count)) * (truth - (sum / Count));
        }

        return new ForecastError(squared / Count, absolute / Count, spread > 0 ? 1 - (squared / spread) : null);
    }
}
