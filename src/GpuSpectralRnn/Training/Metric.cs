using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>A number by which networks are compared, of the loss sums over a whole set.</summary>
/// <param name="Name">As files and tables name it.</param>
/// <param name="IsLargerBetter">Whether larger values are better.</param>
/// <param name="Compute">The number; not a number without rows.</param>
public sealed record Metric(string Name, bool IsLargerBetter, Func<LossSums, double> Compute)
{
    /// <summary>Share of rows whose largest logit is the label's.</summary>
    public static Metric Accuracy { get; } = new("accuracy", true, sums => (double)sums.Correct / sums.Rows);

    /// <summary>Mean squared error per row.</summary>
    public static Metric MeanSquaredError { get; } = new("mse", false, sums => sums.Loss / sums.Rows);

    /// <summary>exp of the mean cross-entropy per token.</summary>
    public static Metric Perplexity { get; } = new("perplexity", false, sums => Math.Exp(sums.Loss / sums.Rows));

    /// <summary>Mean cross-entropy per character in bits.</summary>
    public static Metric BitsPerCharacter { get; } = new("bits-per-char", false, sums => sums.Loss / sums.Rows / Math.Log(2));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Metric> All { get; } = [Accuracy, MeanSquaredError, Perplexity, BitsPerCharacter];

    /// <summary>The metric of a network's task.</summary>
    public static Metric For(Recipe recipe) => recipe switch
    {
        Architecture { IsLanguageModel: true, Unit: TextUnit.Char } => BitsPerCharacter,
        Architecture { IsLanguageModel: true } => Perplexity,
        { Task: TaskKind.Classification } => Accuracy,
        _ => MeanSquaredError,
    };
}
