using System.Globalization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Metric and loss of a network on a data set.</summary>
/// <param name="Metric">The name of its <see cref="Training.Metric"/>.</param>
/// <param name="Value">The metric.</param>
/// <param name="Loss">Mean loss per labelled row: cross-entropy in nats, or the mean squared error.</param>
/// <param name="Rows">Number of these rows: sequences, or labelled steps.</param>
public sealed record Evaluation(string Metric, double Value, double Loss, long Rows)
{
    /// <summary>Whether larger values are better.</summary>
    public bool IsLargerBetter => Training.Metric.All.Any(metric => metric.Name == Metric && metric.IsLargerBetter);

    /// <summary>Mean F1 of the answers' words, where they are spans of texts.</summary>
    public double? F1 { get; init; }

    /// <summary>exp of the loss per token, where the metric is one of language models.</summary>
    public double? Perplexity => Metric == Training.Metric.Perplexity.Name || IsPerCharacter ? Math.Exp(Loss) : null;

    private bool IsPerCharacter => Metric == Training.Metric.BitsPerCharacter.Name;

    /// <summary>The means behind <paramref name="sums"/> over a whole set; not a number without rows.</summary>
    /// <param name="sums">Of the losses.</param>
    /// <param name="recipe">The network.</param>
    /// <param name="answers">Of the answers, where they were read as texts.</param>
    public static Evaluation From(LossSums sums, Recipe recipe, AnswerSums answers = default)
    {
        Metric metric = Training.Metric.For(recipe, answers);
        return new Evaluation(metric.Name, metric.Compute(sums, answers), sums.Loss / sums.Rows, sums.Rows)
        {
            F1 = answers.Count > 0 ? Training.Metric.F1.Compute(sums, answers) : null,
        };
    }

    /// <summary>Whether this is strictly better than <paramref name="other"/>.</summary>
    public bool IsBetterThan(Evaluation other) => IsLargerBetter ? Value > other.Value : Value < other.Value;

    /// <summary>For example <c>accuracy 0.9765, loss 0.0832</c>, <c>perplexity 251.83, loss 5.5288</c>.</summary>
    public override string ToString() => Perplexity switch
    {
        null when F1 is { } f1 => $"{Metric} {Shown(Value)}, f1 {Shown(f1)}, loss {Shown(Loss)}",
        null => $"{Metric} {Shown(Value)}, loss {Shown(Loss)}",
        { } perplexity when IsPerCharacter => $"{Metric} {Shown(Value)}, perplexity {Shown(perplexity)}, loss {Shown(Loss)}",
        _ => $"{Metric} {Shown(Value, "0.##")}, loss {Shown(Loss)}",
    };

    /// <summary>The number in fixed notation; in exponential notation where it is very large, or too small for the digits shown.</summary>
    public static string Shown(double value, string format = "0.####") =>
        value.ToString(Math.Abs(value) is >= 1e7 or (> 0 and < 1e-3) ? "0.###e+0" : format, CultureInfo.InvariantCulture);
}
