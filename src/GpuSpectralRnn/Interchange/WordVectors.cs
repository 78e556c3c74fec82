using System.Globalization;
using System.Text;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// Word vectors in GloVe's text form (Pennington, Socher, Manning 2014): a word and its numbers to a line, parted by spaces. Read line by line, so
/// that files of any size take the memory of one line.
/// </summary>
public static class WordVectors
{
    /// <summary>Writes the vectors of a reader's words into its table; words that the file lacks keep theirs.</summary>
    /// <param name="path">UTF-8 text, packed with gzip or not.</param>
    /// <param name="network">A reader (<see cref="BidafRecipe"/>).</param>
    /// <returns>How many words were found.</returns>
    /// <exception cref="InvalidCallException">The network is no reader, there is no such file, or its vectors are of another width.</exception>
    /// <exception cref="BrokenFileException">A line is no word with numbers, or no UTF-8.</exception>
    public static int Load(string path, Network network)
    {
        BidafRecipe reader = network.Recipe as BidafRecipe
            ?? throw new InvalidCallException("Word vectors are for readers of texts, and the network is another one.");
        ReadingVocabulary vocabulary = new(reader.Words, []);
        Compute.Tensor table = network.Parameters[BidafRecipe.WordTable]; // [V, E]
        int width = table.Shape.Columns;
        float[] values = table.ToArray();
        HashSet<int> found = [];
        using Stream stream = PackedFile.Open(path, "file of word vectors");
        using StreamReader lines = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        int line = 0;
        try
        {
            while (lines.ReadLine() is { } text)
            {
                line++;
                int end = text.IndexOf(' ', StringComparison.Ordinal);
                if (line == 1 && IsHeader(text)) continue;
                if (end <= 0) throw new BrokenFileException(path, $"line {line} is no word with its numbers.");
                int count = text.AsSpan(end).TrimEnd(' ').Count(' ');
                if (count != width)
                    throw new InvalidCallException(
                        $"Line {line} of {path} has {count} numbers; the table of words is {width} wide. Give `embedding` {count}, or other vectors.");
                int number = vocabulary.NumberOf(text[..end]);
                if (number == 0 || !found.Add(number)) continue;
                Read(path, line, text.AsSpan(end + 1), values.AsSpan(number * width, width));
            }
        }
        catch (Exception e) when (e is DecoderFallbackException or InvalidDataException or IOException)
        {
            throw new BrokenFileException(path, $"what follows line {line} cannot be read: it is no UTF-8 text, or damaged.", e);
        }

        table.CopyFrom<float>(values);
        return found.Count;
    }

    // word2vec's text form begins with the number of words and the width.
    private static bool IsHeader(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [{ } words, { } width]
        && words.All(char.IsAsciiDigit) && width.All(char.IsAsciiDigit);

    private static void Read(string path, int line, ReadOnlySpan<char> text, Span<float> values)
    {
        int place = 0;
        foreach (Range part in text.TrimEnd(' ').Split(' '))
        {
            if (!float.TryParse(text[part], NumberStyles.Float, CultureInfo.InvariantCulture, out float value) || !float.IsFinite(value))
                throw new BrokenFileException(path, $"line {line}: '{ForeignText.Show(text[part].ToString())}' is no number.");
            values[place++] = value;
        }
    }
}
