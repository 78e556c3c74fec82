using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data.Reading;

/// <summary>The built-in questions: the same again, with answers where they say, and not to be had by counting words.</summary>
public class GeneratedReadingTests
{
    [Fact]
    public void They_depend_on_the_seed_the_part_and_their_number_alone()
    {
        IReadOnlyList<ReadingQuestion> few = GeneratedReading.Draw(20, 5, DataPart.Train), more = GeneratedReading.Draw(50, 5, DataPart.Train);

        Assert.Equal(few.Select(Show), more.Take(20).Select(Show));
        Assert.NotEqual(few.Select(Show), GeneratedReading.Draw(20, 6, DataPart.Train).Select(Show));
        Assert.NotEqual(few.Select(Show), GeneratedReading.Draw(20, 5, DataPart.Test).Select(Show));
        Assert.Equal(50, more.Select(question => question.Id).Distinct().Count());
    }

    [Fact]
    public void Answers_stand_in_their_texts_and_only_one_sentence_gives_them()
    {
        foreach (ReadingQuestion question in GeneratedReading.Draw(2000, 1, DataPart.Test))
        {
            (int first, int last) = question.Span!.Value;
            Assert.Equal(question.Answers[0], question.Context.Between(first, last), ignoreCase: true); // the first letter of a sentence
            Assert.EndsWith("?", question.Question.Text);
            Assert.DoesNotContain(question.Answers[0], question.Question.Text);
        }
    }

    [Fact]
    public void Counting_words_in_common_does_not_answer_them()
    {
        OverlapBaseline baseline = new(GeneratedReading.Draw(4000, 1, DataPart.Train));
        IReadOnlyList<ReadingQuestion> questions = GeneratedReading.Draw(1000, 1, DataPart.Test);

        double share = questions.Count(question => AnswerScore.IsExact(baseline.Answer(question), question.Answers)) / (double)questions.Count;

        Assert.InRange(share, 0.2, 0.6); // it is no guess either: of about twenty spans one is right
    }

    private static string Show(ReadingQuestion question) => $"{question.Context.Text} {question.Question.Text} {question.Answers[0]} {question.Span}";
}
