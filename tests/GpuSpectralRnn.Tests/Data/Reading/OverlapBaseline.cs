using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data.Reading;

/// <summary>
/// Answers questions by counting words, without looking at their order: of all spans of a text that could answer questions that begin alike (they
/// did so in training), the one in the sentence that shares most with the question, weighed by how rare the words are; of equal ones the one whose
/// neighbours share most, then the first. The words of the question are no answer.
/// </summary>
internal sealed class OverlapBaseline
{
    private readonly Dictionary<string, HashSet<string>> answers = [];
    private readonly Dictionary<string, int> occurrences = [];
    private readonly int texts;

    public OverlapBaseline(IReadOnlyList<ReadingQuestion> training)
    {
        texts = training.Count;
        foreach (ReadingQuestion question in training)
        {
            if (!answers.TryGetValue(Kind(question), out HashSet<string>? known)) answers.Add(Kind(question), known = []);
            known.Add(AnswerScore.Normalize(question.Answers[0]));
            foreach (string word in Words(question.Context, 0, question.Context.Words.Count).Distinct())
                occurrences[word] = occurrences.GetValueOrDefault(word) + 1;
        }
    }

    public string Answer(ReadingQuestion question)
    {
        const int longest = 3;
        WordText text = question.Context;
        HashSet<string> asked = [.. Words(question.Question, 0, question.Question.Words.Count)];
        HashSet<string> known = answers.GetValueOrDefault(Kind(question)) ?? [];
        (double Sentence, double Near) best = (-1, -1);
        string answer = text.Word(0);
        foreach ((int from, int to) in Sentences(text))
        {
            double shared = Weigh(Words(text, from, to).Distinct().Where(asked.Contains));
            for (int first = from; first < to; first++)
            {
                for (int last = Math.Min(first + longest, to) - 1; last >= first; last--)
                {
                    string span = text.Between(first, last);
                    if (!known.Contains(AnswerScore.Normalize(span)) || Words(text, first, last + 1).Any(asked.Contains)) continue;
                    double near = Weigh(Words(text, Math.Max(from, first - 4), Math.Min(to, last + 5)).Distinct().Where(asked.Contains));
                    if ((shared, near).CompareTo(best) > 0) (best, answer) = ((shared, near), span);
                }
            }
        }

        return answer;
    }

    private static string Kind(ReadingQuestion question) => question.Question.Word(0);

    private static IEnumerable<string> Words(WordText text, int from, int to) =>
        Enumerable.Range(from, to - from).Select(i => ReadingVocabulary.Fold(text.Word(i)));

    private static IEnumerable<(int From, int To)> Sentences(WordText text)
    {
        int from = 0;
        for (int i = 0; i < text.Words.Count; i++)
        {
            if (text.Word(i) != ".") continue;
            yield return (from, i + 1);
            from = i + 1;
        }
    }

    private double Weigh(IEnumerable<string> words) => words.Sum(word => Math.Log((texts + 1.0) / (occurrences.GetValueOrDefault(word) + 1.0)));
}
