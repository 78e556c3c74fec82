using System.Diagnostics;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class TemporaryFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_a_process_left_that_is_gone_is_removed()
    {
        string name = Path.GetFileName(TemporaryFile.NameIn(folder.Root));
        string left = folder.Put(name.Replace($"-{Environment.ProcessId}-", $"-{Gone()}-", StringComparison.Ordinal), [1]);
        Assert.Equal(1, TemporaryFile.RemoveAbandoned(folder.Root));
        Assert.False(File.Exists(left));
    }

    [Fact]
    public void What_a_running_process_writes_stays()
    {
        using Process other = Process.Start("sleep", "30");
        string name = TemporaryFile.NameIn(folder.Root);
        folder.Put(Path.GetFileName(name), [1]); // ours
        folder.Put(Path.GetFileName(name).Replace($"-{Environment.ProcessId}-", $"-{other.Id}-", StringComparison.Ordinal), [1]);
        Assert.Equal(0, TemporaryFile.RemoveAbandoned(folder.Root));
        Assert.Equal(2, folder.Names().Length);
        other.Kill();
    }

    [Theory]
    [InlineData(".gsrnn-00000000-1-01234567.tmp")] // of another machine
    [InlineData(".gsrnn-0123456789ab.tmp")] // of earlier versions
    [InlineData(".gsrnn-0123456789abcdef0123456789abcdef.tmp")]
    public void Where_the_process_is_unknown_an_hour_must_have_passed(string name)
    {
        string path = folder.Put(name, [1]);
        Assert.Equal(0, TemporaryFile.RemoveAbandoned(folder.Root));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(-59));
        Assert.Equal(0, TemporaryFile.RemoveAbandoned(folder.Root));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(-61));
        Assert.Equal(1, TemporaryFile.RemoveAbandoned(folder.Root));
        Assert.Empty(folder.Names());
    }

    [Fact]
    public void What_is_locked_stays_whatever_its_name_and_age()
    {
        string path = folder.File(".gsrnn-00000000-1-01234567.tmp");
        using (FileStream owner = TemporaryFile.Create(path))
        {
            owner.WriteByte(1);
            owner.Flush();
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-2));
            Assert.Equal(0, TemporaryFile.RemoveAbandoned(folder.Root));
        }

        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-2));
        Assert.Equal(1, TemporaryFile.RemoveAbandoned(folder.Root));
    }

    [Theory]
    [InlineData(".gsrnn-notes.tmp")]
    [InlineData(".gsrnn-0123456789abc.tmp")]
    [InlineData(".gsrnn-00000000-x-01234567.tmp")]
    [InlineData("gsrnn-0123456789ab.tmp")]
    [InlineData(".gsrnn-0123456789ab.tmp.npy")]
    [InlineData(".other-0123456789ab.tmp")]
    public void Other_names_are_nobodys_business(string name)
    {
        File.SetLastWriteTimeUtc(folder.Put(name, [1]), DateTime.UtcNow.AddDays(-2));
        Assert.Equal(0, TemporaryFile.RemoveAbandoned(folder.Root));
        Assert.Single(folder.Names());
    }

    [Fact]
    public void Writers_and_cleaners_side_by_side_lose_nothing()
    {
        int cleaned = 0;
        Parallel.For(0, 400, i =>
        {
            if (i % 2 == 0) Interlocked.Add(ref cleaned, TemporaryFile.RemoveAbandoned(folder.Root));
            else AtomicFile.Write(folder.File($"f{i % 10}"), stream => stream.Write(new byte[1000]));
        });

        Assert.Equal(0, cleaned);
        Assert.Equal(5, folder.Names().Length);
        Assert.All(folder.Names(), name => Assert.Equal(1000, new FileInfo(folder.File(name)).Length));
    }

    // The number of a process that has ended.
    private static int Gone()
    {
        using Process process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }
}
