namespace GpuSpectralRnn.Data;

/// <summary>
/// A set of sequences of one layout, read by index. Implementations keep the raw data once (or generate it) and expand only the batch that is asked
/// for; reading is deterministic and may be called from any one thread at a time.
/// </summary>
public interface ISequenceData
{
    /// <summary>Name for messages, for example <c>digits (train)</c>.</summary>
    string Name { get; }

    /// <summary>Number of sequences.</summary>
    int Count { get; }

    /// <summary>Extents and targets.</summary>
    SequenceLayout Layout { get; }

    /// <summary>The texts behind the sequences, where the targets are words of a text; null elsewhere.</summary>
    IReadingTexts? Texts => null;

    /// <summary>
    /// Expands the sequences <paramref name="indices"/> into <paramref name="batch"/>, whose size is set to their number. Of a stream an index may be
    /// -1.
    /// </summary>
    void Read(ReadOnlySpan<int> indices, Batch batch);

    /// <summary>
    /// Says which sequences will be read next, so that data in files can be fetched meanwhile; changes no result. Of a stream an index may be -1.
    /// </summary>
    void Expect(ReadOnlySpan<int> indices)
    {
    }

    /// <summary>What a sequence is called, for example the file that it was read from; null where it has no name.</summary>
    string? NameOf(int index) => null;
}
