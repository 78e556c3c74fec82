using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Interchange;

/// <summary>Word vectors in GloVe's text form.</summary>
public sealed class WordVectorsTests : IDisposable
{
    private readonly HostBackend host = new(threads: 1);
    private readonly TemporaryFolder folder = new();
    private readonly Network reader;

    public WordVectorsTests() =>
        reader = Network.Create(BidafRecipe.Create(new(["<unk>", "lamp", "the", "\u00fcber"], []), hidden: 2, word: 3), host, seed: 1);

    public void Dispose()
    {
        reader.Dispose();
        host.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("the 1 2.5 -3e-1\nother 9 9 9\nLamp 4 5 6\nlamp 7 7 7\n\u00fcber 0.5 0 0 \n")]
    [InlineData("5 3\nthe 1 2.5 -0.3\nLamp 4 5 6\nlamp 7 7 7\n\u00fcber 0.5 0 0\n")] // word2vec's heading
    public void Words_of_the_reader_are_found_and_the_first_counts(string text)
    {
        float[] before = reader.Parameters[BidafRecipe.WordTable].ToArray();

        Assert.Equal(3, WordVectors.Load(Write(text), reader));

        float[] table = reader.Parameters[BidafRecipe.WordTable].ToArray();
        Assert.Equal([.. before[..3], 4, 5, 6, 1, 2.5f, -0.3f, 0.5f, 0, 0], table);
    }

    [Theory]
    [InlineData("the 1 2 3\nlamp 1 2\n", "Line 2", "2 numbers")]
    [InlineData("the 1 2 3 4\n", "Line 1", "4 numbers")]
    [InlineData("the 1 2 x\n", "line 1", "'x'")]
    [InlineData("the 1 NaN 3\n", "line 1", "NaN")]
    [InlineData("\n", "line 1", "no word")]
    public void Others_are_refused_with_their_line(string text, string line, string reason)
    {
        Exception fault = Assert.ThrowsAny<Exception>(() => WordVectors.Load(Write(text), reader));
        Assert.True(fault is InvalidCallException or BrokenFileException, $"{fault}");
        Assert.Contains(line, fault.Message);
        Assert.Contains(reason, fault.Message);
    }

    [Fact]
    public void What_is_no_text_is_refused()
    {
        string path = folder.Put("bad.txt", [(byte)'t', (byte)' ', 0xFF, 0xFE, (byte)'\n']);
        Assert.Throws<BrokenFileException>(() => WordVectors.Load(path, reader));
        Assert.Throws<InvalidCallException>(() => WordVectors.Load(folder.File("none"), reader));
    }

    private string Write(string text)
    {
        string path = folder.File("vectors.txt");
        File.WriteAllText(path, text);
        return path;
    }
}
