using System.Formats.Tar;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class TarMembersTests : IDisposable
{
    private static readonly (string Name, byte[] Content)[] Files =
        [("a/1.wav", [1, 2, 3]), ("b/2.txt", []), ("a/3.wav", [.. Enumerable.Repeat((byte)7, 5000)])];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(true, TarEntryFormat.Pax)]
    [InlineData(false, TarEntryFormat.Pax)]
    [InlineData(true, TarEntryFormat.Gnu)]
    [InlineData(false, TarEntryFormat.Ustar)]
    public void Files_come_in_the_archive_s_order(bool isPacked, TarEntryFormat format)
    {
        string path = folder.Put("a.tar", SoundFiles.Tar(Files, isPacked, format));
        List<(string Name, byte[] Content)> read = [];

        TarMembers.Read(path, name => name.EndsWith(".wav", StringComparison.Ordinal), (name, content) => read.Add((name, content)));

        Assert.Equal(["a/1.wav", "a/3.wav"], read.Select(file => file.Name));
        Assert.Equal(Files[0].Content, read[0].Content);
        Assert.Equal(Files[2].Content, read[1].Content);
    }

    [Theory]
    [InlineData("../a.wav", "leads out")]
    [InlineData("a/../../b.wav", "leads out")]
    [InlineData("/etc/a.wav", "absolute")]
    [InlineData("\\a.wav", "absolute")]
    [InlineData("C:\\a.wav", "absolute")]
    public void Names_that_lead_out_are_refused(string name, string why) =>
        Refused(SoundFiles.Tar([("sound.wav", [1]), (name, [1])]), why);

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    public void Links_are_refused(TarEntryType type) => Refused(
        SoundFiles.Tar(true, TarEntryFormat.Pax, writer =>
        {
            TarEntry entry = SoundFiles.Entry(TarEntryFormat.Pax, type, "a.wav");
            entry.LinkName = "b.wav";
            writer.WriteEntry(entry);
        }), "a link");

    [Fact]
    public void What_unpacks_to_too_much_is_refused_while_it_is_read()
    {
        string path = folder.Put("a.tar", SoundFiles.Tar([("a", new byte[100_000]), ("b", new byte[100_000])]));
        List<string> read = [];

        BrokenFileException fault = Assert.Throws<BrokenFileException>(() => TarMembers.Read(path, _ => true, (name, _) => read.Add(name), 150_000));

        Assert.Contains("more than 150,000 bytes", fault.Message);
        Assert.Equal(["a"], read);
        Assert.Equal(4L << 30, TarMembers.MostBytes);
    }

    [Fact]
    public void Damaged_archives_are_refused()
    {
        byte[] sound = SoundFiles.Tar(Files);
        Refused(sound[..(sound.Length / 2)], "truncated");
        Refused(SoundFiles.Tar(Files, isPacked: false)[..5000], "truncated");
        Refused([], "truncated");
        Refused([.. Enumerable.Range(0, 2000).Select(i => (byte)(i * 7))], "damaged");
    }

    private void Refused(byte[] archive, string why)
    {
        string path = folder.Put("a.tar", archive);
        BrokenFileException fault = Assert.Throws<BrokenFileException>(() => TarMembers.Read(path, _ => true, (_, _) => { }));
        Assert.StartsWith(path, fault.Message);
        Assert.Contains(why, fault.Message);
        Assert.DoesNotContain("System.", fault.Message);
    }
}
