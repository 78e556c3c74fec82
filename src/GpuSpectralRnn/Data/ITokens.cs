namespace GpuSpectralRnn.Data;

/// <summary>The numbered tokens of a text, read in parts.</summary>
internal interface ITokens
{
    /// <summary>How many there are.</summary>
    long Count { get; }

    /// <summary>Reads those from number <paramref name="first"/> on.</summary>
    void Read(long first, Span<int> tokens);
}

/// <summary>Tokens in memory.</summary>
internal sealed class KeptTokens(ReadOnlyMemory<int> kept) : ITokens
{
    /// <inheritdoc/>
    public long Count => kept.Length;

    /// <inheritdoc/>
    public void Read(long first, Span<int> tokens) => kept.Span.Slice((int)first, tokens.Length).CopyTo(tokens);
}
