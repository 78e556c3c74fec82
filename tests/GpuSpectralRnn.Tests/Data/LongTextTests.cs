using System.Runtime.InteropServices;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Data;

/// <summary>Texts whose tokens are not kept but read again, window by window.</summary>
public sealed class LongTextTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(TextUnit.Word, 1, 35)]
    [InlineData(TextUnit.Word, 20, 35)]
    [InlineData(TextUnit.Word, 200, 3)] // more columns than readers
    [InlineData(TextUnit.Char, 7, 11)]
    [InlineData(TextUnit.Char, 3, 3000)] // windows longer than the places lie apart
    public void Windows_are_those_of_a_text_in_memory(TextUnit unit, int columns, int steps)
    {
        string path = Text(7000);
        Vocabulary vocabulary = Vocabulary.OfText(path, unit, size: unit == TextUnit.Word ? 50 : null);
        TextData kept = TextData.Load(path, vocabulary, steps), read = TextData.Load(path, vocabulary, steps, mostKept: 100);

        Assert.Equal((kept.Count, kept.Asked, kept.Layout), (read.Count, read.Asked, read.Layout));
        Assert.Equal(Pass(kept, columns), Pass(read, columns));
        Assert.Equal(ContentHash.Compute(kept), ContentHash.Compute(read));
        (TextData keptHead, TextData keptTail) = kept.HoldOut(0.3);
        (TextData readHead, TextData readTail) = read.HoldOut(0.3);
        Assert.Equal(Pass(keptHead, columns), Pass(readHead, columns));
        Assert.Equal(Pass(keptTail, columns), Pass(readTail, columns));
        int[] backwards = [.. Enumerable.Range(0, read.Count).Reverse()];
        Batch a = new(kept.Layout, read.Count), b = new(read.Layout, read.Count);
        kept.Read(backwards, a);
        read.Read(backwards, b);
        Assert.Equal(a.Tokens, b.Tokens);
    }

    [Fact]
    public void A_text_that_changes_meanwhile_is_refused()
    {
        string path = Text(3000);
        Vocabulary vocabulary = Vocabulary.OfText(path, TextUnit.Word);
        TextData data = TextData.Load(path, vocabulary, 10, mostKept: 100);
        File.AppendAllText(path, "more");

        BrokenFileException error = Assert.Throws<BrokenFileException>(() => data.Read([200], new Batch(data.Layout, 1)));

        Assert.Contains("has changed", error.Message, StringComparison.Ordinal);
    }

    // With a byte order mark, carriage returns, empty lines, characters of several bytes and no line feed at the end.
    private string Text(int words)
    {
        IEnumerable<string> all = Enumerable.Range(0, words).Select(i => ((i * 7919) % 101) switch
        {
            0 => "\r\n",
            1 => "\n\n",
            2 => "\u00e9t\u00e9 ",
            3 => "\U0001F332 ",
            int n => $"w{n % 70} ",
        });
        string path = folder.File("text.txt");
        File.WriteAllText(path, "\uFEFF" + string.Concat(all) + "end");
        return path;
    }

    private static byte[] Pass(TextData data, int columns)
    {
        List<byte> all = [];
        BatchReader reader = new(data, columns);
        for (int epoch = 0; epoch < 2; epoch++)
        {
            reader.RestartShuffled(1, epoch);
            while (reader.Next())
            {
                all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Tokens));
                all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Labels));
                all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Lengths));
            }
        }

        return [.. all];
    }
}
