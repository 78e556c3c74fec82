using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data.Reading;

/// <summary>
/// Scores against those of SQuAD's own program: the definitions of normalize_answer, exact_match_score and f1_score of evaluate-v1.1, run by Python
/// 3 on these pairs:
/// <code>
/// def normalize(s): return " ".join(re.sub(r"\b(a|an|the)\b", " ", "".join(c for c in s.lower() if c not in set(string.punctuation))).split())
/// </code>
/// </summary>
public class AnswerScoreTests
{
    [Theory]
    [InlineData("The  Quick, brown\tfox!", "quick brown fox")]
    [InlineData("a theory of an The the", "theory of")]
    [InlineData("\"An\" apple", "apple")]
    [InlineData("U.S.A.", "usa")]
    [InlineData("a.m.", "am")]
    [InlineData("l\u2019a\u2019b", "l\u2019 \u2019b")] // typographic marks stay, and part words
    [InlineData("the_a an-d", "thea and")]
    [InlineData("\u201cThe\u201d", "\u201c \u201d")]
    [InlineData("5\u00bd %", "5\u00bd")]
    [InlineData("", "")]
    public void Answers_are_compared_without_case_articles_and_punctuation(string answer, string normal) => Assert.Equal(normal, AnswerScore.Normalize(answer));

    [Theory]
    [InlineData("the red lamp", true, 1, "red lamp.", "blue")]
    [InlineData("red", false, 0.6666666666666666, "red lamp")]
    [InlineData("red red lamp", false, 0.8, "a red lamp")] // precision 2/3, recall 1
    [InlineData("red lamp", false, 0.6666666666666666, "old clock", "small red lamp of hers", "lamp")] // the best of several
    [InlineData("clock", false, 0, "lamp")]
    [InlineData("the", false, 0, "lamp")]
    public void The_best_of_the_accepted_answers_counts(string answer, bool isExact, double f1, params string[] accepted)
    {
        Assert.Equal(isExact, AnswerScore.IsExact(answer, accepted));
        Assert.Equal(f1, AnswerScore.F1(answer, accepted), 12);
    }
}
