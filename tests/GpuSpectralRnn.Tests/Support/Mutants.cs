using System.Globalization;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// Hands damaged files to a reader. Whatever a file holds, its reader answers: with the content, or with an error of our own that names no type of the
/// runtime; soon, and without memory for what a header merely claims. GSRNN_MUTANTS gives their number for each call, which is some hundred without, where
/// the call does not name more.
/// </summary>
internal static class Mutants
{
    /// <summary>Unless GSRNN_MUTANTS says otherwise.</summary>
    private const int Usual = 300;

    /// <summary>Managed memory that a reader may allocate all in all: so many times the file's size, and buffers, messages and a runtime's own.</summary>
    private const long Factor = 4, Allowance = 64 << 20;

    /// <summary>Files of some kilobytes take milliseconds; the machine may be busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Reads every mutant; fails with its number, seed and bytes where one is answered wrongly.</summary>
    /// <param name="seed">Of the mutations.</param>
    /// <param name="path">Where they are written, one after the other.</param>
    /// <param name="read">The reader.</param>
    /// <param name="sound">Files to damage; the reader takes at least one of them.</param>
    public static void Check(int seed, string path, Action<string> read, params byte[][] sound) => Check(seed, Usual, path, read, sound);

    /// <summary>Reads as many mutants as are named; see above.</summary>
    public static void Check(int seed, int usual, string path, Action<string> read, params byte[][] sound)
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("GSRNN_MUTANTS"), CultureInfo.InvariantCulture, out int asked) ? asked : usual;
        Assert.Contains(sound, bytes => Fault(path, bytes, read) is null);
        Mutations mutations = new(seed, sound);
        string? failure = null;
        int number = 0;
        Thread reader = new(() =>
        {
            for (; number < count && failure is null; Interlocked.Increment(ref number))
            {
                byte[] mutant = mutations.Next();
                if (Fault(path, mutant, read) is { } fault) failure = $"{fault}\n{Convert.ToBase64String(mutant)}";
            }
        })
        { IsBackground = true };
        reader.Start();
        TimeSpan tick = TimeSpan.FromMilliseconds(200), waited = TimeSpan.Zero;
        for (int seen = -1; !reader.Join(tick); waited += tick)
        {
            // Counted in ticks, not by the clock, which goes on while the whole process is suspended.
            int now = Volatile.Read(ref number);
            if (now != seen) (seen, waited) = (now, TimeSpan.Zero);
            Assert.True(waited < Patience, $"seed {seed}, mutant {now} does not end: {path}");
        }

        Assert.True(failure is null, $"seed {seed}, mutant {number - 1}: {failure}");
    }

    private static string? Fault(string path, byte[] bytes, Action<string> read)
    {
        File.WriteAllBytes(path, bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read(path);
        }
        catch (Exception e) when (e is InvalidCallException or RunFailedException)
        {
            if (string.IsNullOrWhiteSpace(e.Message) || e.Message.Contains("System.") || e.Message.Contains("GpuSpectralRnn.")) return $"says {e.Message}";
        }
        catch (Exception e)
        {
            return e.ToString();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before, most = (Factor * bytes.Length) + Allowance;
        return allocated <= most ? null : $"{allocated:N0} bytes allocated for {bytes.Length:N0}";
    }
}
