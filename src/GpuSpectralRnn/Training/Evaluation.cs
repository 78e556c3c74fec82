using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Training;

/// <summary>How well a network does on a data set.</summary>
/// <param name="Metric"><c>accuracy</c> (share of rows whose largest logit is the label's) or <c>mse</c>.</param>
/// <param name="Value">The metric.</param>
/// <param name="Loss">Mean loss per row that counts: cross-entropy in nats, or the mean squared error.</param>
/// <param name="Rows">Rows that counted: sequences, or labelled steps.</param>
public sealed record Evaluation(string Metric, double Value, double Loss, long Rows)
{
    /// <summary>Whether larger values are better.</summary>
    public bool IsLargerBetter => Metric == "accuracy";

    /// <summary>The means behind <paramref name="sums"/>; not a number without rows.</summary>
    public static Evaluation Of(LossSums sums, TaskKind task)
    {
        double loss = sums.Loss / sums.Rows;
        return task == TaskKind.Classification
            ? new Evaluation("accuracy", (double)sums.Correct / sums.Rows, loss, sums.Rows)
            : new Evaluation("mse", loss, loss, sums.Rows);
    }

    /// <summary>Whether this is strictly better than <paramref name="other"/>.</summary>
    public bool IsBetterThan(Evaluation other) => IsLargerBetter ? Value > other.Value : Value < other.Value;

    /// <summary>For example <c>accuracy 0.9765, loss 0.0832</c>.</summary>
    public override string ToString() => $"{Metric} {Value:0.####}, loss {Loss:0.####}";
}
