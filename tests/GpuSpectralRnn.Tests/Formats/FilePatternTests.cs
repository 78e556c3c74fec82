using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class FilePatternTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Files_come_in_natural_order_and_hidden_ones_not_at_all()
    {
        string[] names = ["p-1.npy", "p-2.npy", "p-02b.npy", "p-10.npy", "p-100.npy", "p-99999999999999999999.npy", "pa.npy"];
        foreach (string name in names.Reverse().Append(".p-3.npy").Append("q-1.npy").Append("p-1.npz")) folder.Put(name, []);

        Assert.Equal(names.Select(folder.File), FilePattern.Expand(folder.File("p*.npy")));
        Assert.Equal([folder.File("p-1.npy"), folder.File("p-2.npy")], FilePattern.Expand(folder.File("p-?.npy")));
    }

    [Fact]
    public void A_name_without_wildcards_stands_for_itself_and_so_does_a_file_whose_name_has_one()
    {
        Assert.Equal(["absent.npy"], FilePattern.Expand("absent.npy"));
        string odd = folder.Put("odd*.npy", []);
        folder.Put("odd2.npy", []);
        Assert.Equal([odd], FilePattern.Expand(odd));
    }

    [Theory]
    [InlineData("", "1", -1)]
    [InlineData("a2", "a10", -1)]
    [InlineData("a2b1", "a2b01", 1)] // the same numbers: then by characters
    [InlineData("a01b", "a1c", -1)]
    [InlineData("a1", "a1", 0)]
    [InlineData("b1", "a2", 1)]
    public void Natural_order_compares_numbers_as_numbers(string left, string right, int sign)
    {
        Assert.Equal(sign, Math.Sign(FilePattern.CompareNaturally(left, right)));
        Assert.Equal(-sign, Math.Sign(FilePattern.CompareNaturally(right, left)));
    }
}
