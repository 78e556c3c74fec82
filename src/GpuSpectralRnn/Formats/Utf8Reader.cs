using System.Buffers;
using System.Text;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// Reads UTF-8 text character by character in a fixed amount of memory, however long its lines are. Strict: what is not UTF-8 is refused, with its
/// place. A byte order mark
/// at the start is passed over, and a carriage return before a line feed.
/// </summary>
public sealed class Utf8Reader : IDisposable
{
    /// <summary>Bytes of the longest character.</summary>
    private const int Longest = 4;

    private readonly Stream stream;
    private readonly string name;
    private readonly byte[] buffer = new byte[1 << 16];
    private long start; // of the buffer, in the stream
    private int position;
    private int end;
    private bool isWholeRead;

    /// <summary>Reads <paramref name="stream"/>, which is disposed with the reader.</summary>
    /// <param name="stream">At the start of a character.</param>
    /// <param name="name">The file, for messages.</param>
    /// <param name="start">The place of that character in the text, in bytes.</param>
    public Utf8Reader(Stream stream, string name, long start = 0)
    {
        this.stream = stream;
        this.name = name;
        this.start = start;
        Fill();
        if (start == 0 && buffer.AsSpan(0, end).StartsWith("\uFEFF"u8)) position = 3;
    }

    /// <summary>Bytes before the next character.</summary>
    public long Offset => start + position;

    /// <summary>Opens a file.</summary>
    /// <exception cref="InvalidCallException">It is missing or may not be read.</exception>
    public static Utf8Reader Open(string path) => new(InputFile.Open(path, "text"), path);

    /// <summary>The next character (Unicode scalar value); false at the end.</summary>
    /// <exception cref="BrokenFileException">What follows is not UTF-8, or cannot be read.</exception>
    public bool Next(out Rune character)
    {
        if (end - position < Longest) Fill();
        if (position + 1 < end && buffer[position] == '\r' && buffer[position + 1] == '\n') position++;
        if (position == end)
        {
            character = default;
            return false;
        }

        if (Rune.DecodeFromUtf8(buffer.AsSpan(position, end - position), out character, out int used) != OperationStatus.Done)
        {
            throw new BrokenFileException(
                name,
                $"the byte 0x{buffer[position]:X2} at offset {Offset} is not valid UTF-8; convert the text, for example with 'iconv -t UTF-8'.");
        }

        position += used;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private void Fill()
    {
        if (isWholeRead) return;
        buffer.AsSpan(position, end - position).CopyTo(buffer);
        start += position;
        end -= position;
        position = 0;
        try
        {
            int got = stream.ReadAtLeast(buffer.AsSpan(end), Longest, throwOnEndOfStream: false);
            end += got;
            isWholeRead = got < Longest;
        }
        catch (IOException e)
        {
            throw new BrokenFileException(name, $"cannot be read at offset {start + end}: {e.Message}", e);
        }
    }
}
