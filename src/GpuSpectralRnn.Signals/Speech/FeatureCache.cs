using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>
/// A folder of features that were computed before, by the SHA-256 of what they follow from: the recordings' names and contents and all settings.
/// Whatever changes gives another name; what is damaged is computed anew. Files are written whole or not at all and may be deleted at any time.
/// </summary>
/// <param name="folder">The folder; made when it is needed.</param>
public sealed class FeatureCache(string folder)
{
    /// <summary>Goes up where the computation changes.</summary>
    private const int Version = 1;

    private const string SumKey = "sha256";

    /// <summary>Where caches of programs lie on this system; null where there is no such place.</summary>
    public static string? DefaultFolder()
    {
        string? root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache")
            : null;
        return string.IsNullOrEmpty(root) ? null : Path.Combine(root, "gsrnn");
    }

    /// <summary>The name of an entry.</summary>
    /// <param name="parts">All that it follows from.</param>
    public static string Key(params IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [$"features {Version}", .. parts]))));

    /// <summary>The features of recordings in the order that they were kept in; null where there are none, or not whole ones.</summary>
    /// <param name="key">Of <see cref="Key"/>.</param>
    /// <param name="count">How many recordings.</param>
    /// <param name="width">F.</param>
    internal IReadOnlyList<float[]>? Find(string key, int count, int width)
    {
        string path = PathOf(key);
        if (!File.Exists(path)) return null;
        try
        {
            SafetensorsFile file = SafetensorsFile.Read(path);
            if (file.Find("frames")?.Values is not int[] frames || file.Find("features")?.Values is not float[] features) return null;
            if (frames.Length != count || frames.Any(own => own < 1) || frames.Sum(own => (long)own * width) != features.LongLength) return null;
            if (file.Metadata.GetValueOrDefault(SumKey) != Sum(frames, features)) return null;
            float[][] all = new float[count][];
            long at = 0;
            for (int i = 0; i < count; i++)
            {
                all[i] = new float[frames[i] * width];
                Array.Copy(features, at, all[i], 0, all[i].Length);
                at += all[i].Length;
            }

            return all;
        }
        catch (Exception e) when (e is InvalidCallException or RunFailedException)
        {
            return null;
        }
    }

    /// <summary>Keeps features.</summary>
    /// <returns>Why they could not be kept; null where they were.</returns>
    internal string? Keep(string key, IReadOnlyList<float[]> features, int width)
    {
        long total = features.Sum(own => own.LongLength);
        if (total > Array.MaxLength) return $"{total:N0} numbers are more than one file of them holds";
        float[] all = new float[total];
        long at = 0;
        foreach (float[] own in features)
        {
            own.CopyTo(all, at);
            at += own.Length;
        }

        int[] frames = [.. features.Select(own => own.Length / width)];
        try
        {
            Directory.CreateDirectory(folder);
            TemporaryFile.RemoveAbandoned(folder);
            SafetensorsFile.Write(
                PathOf(key),
                [
                    NamedArray.Create("frames", new Shape(frames.Length), frames),
                    NamedArray.Create("features", new Shape((int)(total / width), width), all),
                ],
                new Dictionary<string, string> { [SumKey] = Sum(frames, all) });
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidCallException or RunFailedException)
        {
            return e.Message;
        }
    }

    private static string Sum(int[] frames, float[] features)
    {
        const int chunk = 1 << 20; // a span of bytes ends at 2 GB
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>(frames));
        for (int i = 0; i < features.Length; i += chunk)
            hash.AppendData(MemoryMarshal.AsBytes(features.AsSpan(i, Math.Min(chunk, features.Length - i))));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private string PathOf(string key) => Path.Combine(folder, $"{key}.features");
}
