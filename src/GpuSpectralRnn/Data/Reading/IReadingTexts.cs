namespace GpuSpectralRnn.Data;

/// <summary>The texts behind the sequences of a set whose targets are the first and the last word of a span.</summary>
public interface IReadingTexts
{
    /// <summary>The question of a sequence of the set, with its text.</summary>
    ReadingQuestion Question(int sequence);
}
