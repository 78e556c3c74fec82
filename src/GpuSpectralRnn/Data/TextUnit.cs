namespace GpuSpectralRnn.Data;

/// <summary>What one token of a text is.</summary>
public enum TextUnit
{
    /// <summary>A word between white space; every line ends with the token <see cref="Vocabulary.EndOfLine"/>.</summary>
    Word,

    /// <summary>A character (Unicode scalar value), white space and line feeds too.</summary>
    Char,
}
