namespace GpuSpectralRnn.Data;

/// <summary>A question about a text, and what is accepted as its answer.</summary>
/// <param name="Id">What predictions call it.</param>
/// <param name="Context">The text; questions about the same share it.</param>
/// <param name="Question">What is asked, of one word or more.</param>
/// <param name="Answers">Accepted answers as they are written; none where they are not known.</param>
/// <param name="Span">The words of the context that training asks for, first and last; null where no answer has a place.</param>
public sealed record ReadingQuestion(string Id, WordText Context, WordText Question, IReadOnlyList<string> Answers, (int First, int Last)? Span);
