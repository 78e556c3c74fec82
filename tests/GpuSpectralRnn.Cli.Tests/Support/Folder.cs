using System.Buffers.Binary;
using System.Text;

namespace GpuSpectralRnn.Cli.Tests.Support;

/// <summary>A folder of its own for one test, with small data files.</summary>
internal sealed class Folder : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("gsrnn-");

    /// <summary>The folder's path.</summary>
    public string Path => directory.FullName;

    /// <summary>A path in it.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes images whose bright column tells their class, as IDX files.</summary>
    /// <returns>The options that name them.</returns>
    public string[] Idx(int count, int classes = 3, int size = 6, string stem = "set", int? badLabel = null)
    {
        List<byte> images = [0, 0, 8, 3, .. BigEndian(count), .. BigEndian(size), .. BigEndian(size)];
        List<byte> labels = [0, 0, 8, 1, .. BigEndian(count)];
        for (int n = 0; n < count; n++)
        {
            int label = n % classes;
            for (int pixel = 0; pixel < size * size; pixel++) images.Add((byte)(pixel % size == label ? 200 + (n % 50) : (n * 7 + pixel * 13) % 60));
            labels.Add((byte)(badLabel is { } bad && n == count - 1 ? bad : label));
        }

        File.WriteAllBytes(this[$"{stem}-images"], [.. images]);
        File.WriteAllBytes(this[$"{stem}-labels"], [.. labels]);
        return ["--data", "idx", "--images", this[$"{stem}-images"], "--labels", this[$"{stem}-labels"]];
    }

    /// <summary>Writes a little-endian array of float32 ('f4') or int32 ('i4') as NPY, format 1.0.</summary>
    public string Npy<T>(string name, int[] shape, IEnumerable<T> values)
        where T : unmanaged
    {
        string type = typeof(T) == typeof(float) ? "<f4" : "<i4";
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({string.Join(", ", shape)}{(shape.Length == 1 ? "," : "")}), }}";
        header = header.PadRight(128 - 11) + "\n";
        using FileStream stream = File.Create(this[name]);
        using BinaryWriter writer = new(stream);
        writer.Write([0x93, .. "NUMPY"u8, 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(Encoding.ASCII.GetBytes(header));
        foreach (T value in values)
        {
            if (value is float f) writer.Write(f);
            else writer.Write((int)(object)value);
        }

        return this[name];
    }

    /// <summary>Sequences [N, T, I] of small numbers as X.npy and the sign of their sum as labels y.npy.</summary>
    /// <returns>The options that name them.</returns>
    public string[] Npy(int count, int steps = 5, int inputs = 2, float? poison = null, string stem = "")
    {
        float[] x = [.. Enumerable.Range(0, count * steps * inputs).Select(i => MathF.Sin(1.7f * i + (i / (steps * inputs))))];
        int[] y = [.. x.Chunk(steps * inputs).Select(s => s.Sum() > 0 ? 1 : 0)];
        if (poison is { } bad) x[x.Length / 2] = bad;
        return ["--data", "npy", "--x", Npy($"{stem}x.npy", [count, steps, inputs], x), "--y", Npy($"{stem}y.npy", [count], y)];
    }

    /// <summary>Writes a text so many times over, and returns where.</summary>
    public string Text(string name, string content, int times = 1)
    {
        File.WriteAllText(this[name], string.Concat(Enumerable.Repeat(content, times)));
        return this[name];
    }

    /// <summary>Keeps the first part of a file.</summary>
    public void Truncate(string name, double share)
    {
        using FileStream stream = File.OpenWrite(this[name]);
        stream.SetLength((long)(stream.Length * share));
    }

    /// <inheritdoc/>
    public void Dispose() => directory.Delete(recursive: true);

    private static byte[] BigEndian(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
