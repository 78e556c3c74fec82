using System.Globalization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Metric and loss of a network on a data set.</summary>
/// <param name="Metric">
/// <c>accuracy</c> (fraction of rows whose largest logit is the label's), <c>mse</c>, or of a language model <c>perplexity</c> (exp of the mean loss
/// per token), by characters <c>bits-per-char</c> (the mean loss in bits).
/// </param>
/// <param name="Value">The metric.</param>
/// <param name="Loss">Mean loss per labelled row: cross-entropy in nats, or the mean squared error.</param>
/// <param name="Rows">Number of these rows: sequences, or labelled steps.</param>
public sealed record Evaluation(string Metric, double Value, double Loss, long Rows)
{
    private const string Accuracy = "accuracy";
    private const string BitsPerCharacter = "bits-per-char";

    /// <summary>Whether larger values are better.</summary>
    public bool IsLargerBetter => Metric == Accuracy;

    /// <summary>exp of the loss per token, where the metric is one of language models.</summary>
    public double? Perplexity => Metric is "perplexity" or BitsPerCharacter ? Math.Exp(Loss) : null;

    /// <summary>The means behind <paramref name="sums"/> over a whole set; not a number without rows.</summary>
    public static Evaluation From(LossSums sums, Recipe recipe)
    {
        double loss = sums.Loss / sums.Rows;
        return recipe switch
        {
            Architecture { IsLanguageModel: true, Unit: TextUnit.Char } => new Evaluation(BitsPerCharacter, loss / Math.Log(2), loss, sums.Rows),
            Architecture { IsLanguageModel: true } => new Evaluation("perplexity", Math.Exp(loss), loss, sums.Rows),
            { Task: TaskKind.Classification } => new Evaluation(Accuracy, (double)sums.Correct / sums.Rows, loss, sums.Rows),
            _ => new Evaluation("mse", loss, loss, sums.Rows),
        };
    }

    /// <summary>Whether this is strictly better than <paramref name="other"/>.</summary>
    public bool IsBetterThan(Evaluation other) => IsLargerBetter ? Value > other.Value : Value < other.Value;

    /// <summary>For example <c>accuracy 0.9765, loss 0.0832</c>, <c>perplexity 251.83, loss 5.5288</c>.</summary>
    public override string ToString() => Perplexity switch
    {
        null => $"{Metric} {Shown(Value)}, loss {Shown(Loss)}",
        { } perplexity when Metric == BitsPerCharacter => $"{Metric} {Shown(Value)}, perplexity {Shown(perplexity)}, loss {Shown(Loss)}",
        _ => $"{Metric} {Shown(Value, "0.##")}, loss {Shown(Loss)}",
    };

    /// <summary>The number in fixed notation; in exponential notation where it is very large, or too small for the digits shown.</summary>
    public static string Shown(double value, string format = "0.####") =>
        value.ToString(Math.Abs(value) is >= 1e7 or (> 0 and < 1e-3) ? "0.###e+0" : format, CultureInfo.InvariantCulture);
}
