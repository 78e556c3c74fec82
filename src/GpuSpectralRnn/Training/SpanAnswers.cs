using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Sums over answered questions.</summary>
/// <param name="Exact">Answers that are one of those accepted.</param>
/// <param name="F1">Sum of the F1 of the answers' words.</param>
/// <param name="Count">Questions.</param>
public readonly record struct AnswerSums(double Exact, double F1, long Count);

/// <summary>An answer: words of a text.</summary>
/// <param name="First">Its first word.</param>
/// <param name="Last">Its last word, from the first on.</param>
/// <param name="LogProbability">log p_start(first) + log p_end(last).</param>
public readonly record struct SpanAnswer(int First, int Last, double LogProbability);

/// <summary>Answers of a network whose two outputs are the scores of a field's steps to be the first and the last of a span.</summary>
/// <param name="network">The network.</param>
public sealed class SpanAnswers(Network network)
{
    /// <summary>The most words that an answer has beyond its first.</summary>
    public const int MostFurtherWords = 15;

    private float[] starts = [], ends = [];

    /// <summary>Whether a network gives such outputs.</summary>
    public static bool AreOf(Graph graph) =>
        graph.Outputs is [{ Kind: ValueKind.Scores } start, { Kind: ValueKind.Scores } end] && start.Field == end.Field;

    /// <summary>The answers of the last forward pass over a batch, sequence by sequence.</summary>
    public SpanAnswer[] Read(DeviceBatches feed)
    {
        (int size, int steps) = (network.Output(0).Shape[0], network.Output(0).Shape[1]);
        int field = network.Graph.FieldIndex(network.Graph.Outputs[0]);
        if (starts.Length != size * steps) (starts, ends) = (new float[size * steps], new float[size * steps]);
        network.Output(0).CopyTo<float>(starts);
        network.Output(1).CopyTo<float>(ends);
        SpanAnswer[] answers = new SpanAnswer[size];
        for (int b = 0; b < size; b++)
        {
            int length = feed.Lengths(field)[b];
            answers[b] = Best(starts.AsSpan(b * steps, length), ends.AsSpan(b * steps, length));
        }

        return answers;
    }

    /// <summary>
    /// The span i..j of the largest p_start(i) p_end(j) with i &lt;= j &lt;= i + <see cref="MostFurtherWords"/>; the first of equals.
    /// </summary>
    /// <param name="start">Scores of the steps to be the first, one or more.</param>
    /// <param name="end">Scores of the steps to be the last, as many.</param>
    public static SpanAnswer Best(ReadOnlySpan<float> start, ReadOnlySpan<float> end)
    {
        (int first, int last) = (0, 0);
        double best = double.NegativeInfinity;
        for (int i = 0; i < start.Length; i++)
        {
            for (int j = i; j < Math.Min(end.Length, i + MostFurtherWords + 1); j++)
            {
                double score = (double)start[i] + end[j];
                if (score > best) (first, last, best) = (i, j, score);
            }
        }

        return new SpanAnswer(first, last, best - LogSumExp(start) - LogSumExp(end));
    }

    private static double LogSumExp(ReadOnlySpan<float> scores)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float score in scores) largest = Math.Max(largest, score);
        foreach (float score in scores) sum += Math.Exp(score - largest);
        return largest + Math.Log(sum);
    }
}
