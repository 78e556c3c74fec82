using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>A number by which networks are compared, of the loss sums over a whole set, and of the answers where they are texts.</summary>
/// <param name="Name">As files and tables name it.</param>
/// <param name="IsLargerBetter">Whether larger values are better.</param>
/// <param name="Compute">The number; not a number without rows.</param>
public sealed record Metric(string Name, bool IsLargerBetter, Func<LossSums, AnswerSums, double> Compute)
{
    /// <summary>Share of rows whose largest logit is the label's.</summary>
    public static Metric Accuracy { get; } = new("accuracy", true, (sums, _) => (double)sums.Correct / sums.Rows);

    /// <summary>Mean squared error per row.</summary>
    public static Metric MeanSquaredError { get; } = new("mse", false, (sums, _) => sums.Loss / sums.Rows);

    /// <summary>exp of the mean cross-entropy per token.</summary>
    public static Metric Perplexity { get; } = new("perplexity", false, (sums, _) => Math.Exp(sums.Loss / sums.Rows));

    /// <summary>Mean cross-entropy per character in bits.</summary>
    public static Metric BitsPerCharacter { get; } = new("bits-per-char", false, (sums, _) => sums.Loss / sums.Rows / Math.Log(2));

    /// <summary>Share of questions whose answer is one of those accepted (<see cref="AnswerScore.IsExact"/>).</summary>
    public static Metric ExactMatch { get; } = new("exact-match", true, (_, answers) => answers.Exact / answers.Count);

    /// <summary>Mean over questions of the F1 of the answer's words (<see cref="AnswerScore.F1(string, IReadOnlyList{string})"/>).</summary>
    public static Metric F1 { get; } = new("f1", true, (_, answers) => answers.F1 / answers.Count);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Metric> All { get; } = [Accuracy, MeanSquaredError, Perplexity, BitsPerCharacter, ExactMatch, F1];

    /// <summary>The metric of a network's task.</summary>
    /// <param name="recipe">The network.</param>
    /// <param name="answers">What its answers came to where they were read as texts.</param>
    public static Metric For(Recipe recipe, AnswerSums answers = default) => recipe switch
    {
        _ when answers.Count > 0 => ExactMatch,
        Architecture { IsLanguageModel: true, Unit: TextUnit.Char } => BitsPerCharacter,
        Architecture { IsLanguageModel: true } => Perplexity,
        { Task: TaskKind.Classification } => Accuracy,
        _ => MeanSquaredError,
    };
}
