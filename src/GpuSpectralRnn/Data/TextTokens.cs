using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// The tokens of a text that is too long to be kept: its places every <see cref="Stride"/> tokens, from which a window is read anew. Windows that follow
/// each other, as in the columns of a stream, go on where the last one ended.
/// </summary>
internal sealed class TextTokens : ITokens
{
    /// <summary>Most tokens of a text that is kept, 128 MB of them.</summary>
    public const int MostKept = 1 << 25;

    private const int Stride = 1024;
    private const int MostCursors = 128; // columns that can be read side by side without going back to a place

    private readonly string path;
    private readonly Vocabulary vocabulary;
    private readonly List<TokenPlace> places;
    private readonly long length; // bytes
    private readonly List<Cursor> cursors = []; // the one used last at the end

    private TextTokens(string path, Vocabulary vocabulary, List<TokenPlace> places, long count, long length) =>
        (this.path, this.vocabulary, this.places, Count, this.length) = (path, vocabulary, places, count, length);

    /// <inheritdoc/>
    public long Count { get; }

    /// <summary>Reads a text once: its tokens where they are no more than <paramref name="mostKept"/>, else their places.</summary>
    /// <exception cref="InvalidCallException">The file is missing, or a token is unknown to a closed vocabulary.</exception>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    public static ITokens Load(string path, Vocabulary vocabulary, int mostKept)
    {
        FileStream stream = InputFile.Open(path, "text");
        long length = stream.Length;
        using TokenReader reader = new(new Utf8Reader(stream, path), path, vocabulary.Unit);
        List<TokenPlace> places = [];
        List<int> kept = [];
        long count = 0;
        while (true)
        {
            if (count % Stride == 0) places.Add(reader.Place);
            if (!reader.Next(out ReadOnlySpan<char> token)) break;
            int number = vocabulary.NumberOf(token);
            if (count < mostKept) kept.Add(number);
            else if (count == mostKept) kept = [];
            count++;
        }

        return count <= mostKept
            ? new KeptTokens(kept.ToArray())
            : new TextTokens(path, vocabulary, places, count, length);
    }

    /// <inheritdoc/>
    /// <exception cref="BrokenFileException">The text has changed since it was opened.</exception>
    public void Read(long first, Span<int> tokens)
    {
        Cursor cursor = Take(first);
        int from = 0;
        if (first == cursor.Position - 1) tokens[from++] = cursor.Last; // windows share a token: the last that one is asked for is the first that the next reads
        for (; cursor.Position < first; cursor.Position++) Next(cursor);
        for (; from < tokens.Length; from++, cursor.Position++) tokens[from] = Next(cursor);
    }

    private int Next(Cursor cursor)
    {
        if (!cursor.Reader.Next(out ReadOnlySpan<char> token)) throw Changed();
        return cursor.Last = vocabulary.NumberOf(token);
    }

    // The one that is a little before a token, else a new one.
    private Cursor Take(long first)
    {
        int at = cursors.FindIndex(cursor => first >= cursor.Earliest && first - cursor.Position < Stride);
        Cursor found;
        if (at >= 0)
        {
            found = cursors[at];
            cursors.RemoveAt(at);
        }
        else
        {
            if (cursors.Count == MostCursors)
            {
                cursors[0].Reader.Dispose();
                cursors.RemoveAt(0);
            }

            found = Open(first / Stride);
        }

        cursors.Add(found);
        return found;
    }

    private Cursor Open(long stride)
    {
        TokenPlace place = places[(int)stride];
        FileStream stream = InputFile.Open(path, "text");
        if (stream.Length != length)
        {
            stream.Dispose();
            throw Changed();
        }

        stream.Position = place.Offset;
        return new Cursor(new TokenReader(new Utf8Reader(stream, path, place.Offset), path, vocabulary.Unit, place), stride * Stride);
    }

    private BrokenFileException Changed() => new(path, "the text has changed while it was in use; start again.");

    /// <summary>A reader before the token <paramref name="position"/>.</summary>
    private sealed class Cursor(TokenReader reader, long position)
    {
        public TokenReader Reader => reader;

        public long Position { get; set; } = position;

        /// <summary>The token before the position; -1 before one was read.</summary>
        public int Last { get; set; } = -1;

        /// <summary>The first token that it can still give.</summary>
        public long Earliest => Last < 0 ? Position : Position - 1;
    }
}
