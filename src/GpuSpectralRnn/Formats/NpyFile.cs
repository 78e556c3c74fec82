using System.Runtime.InteropServices;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// One array in NumPy's NPY format, versions 1 to 3 (NumPy Enhancement Proposal 1): magic, version, header length, a Python dictionary, raw data.
/// Reads little-endian float32, float64, int32, int64 and uint8 in C order, and bool, float16, int8, int16, uint16 and uint32 as the next wider of
/// these; writes float32.
/// </summary>
public static class NpyFile
{
    /// <summary>Reads the array; its elements are float, double, int, long or byte as in the file.</summary>
    /// <exception cref="InvalidCallException">The file does not exist or may not be read, or holds an array of another type or order; the message
    /// says how to convert it.</exception>
    /// <exception cref="BrokenFileException">The content is not an NPY file, or truncated.</exception>
    public static NamedArray Read(string path) => Read(InputFile.Open(path, "NPY file"), path);

    /// <summary>
    /// Reads the array that <paramref name="stream"/>, seekable and disposed here, holds from its start to its end; <paramref name="path"/> is for
    /// messages.
    /// </summary>
    /// <exception cref="InvalidCallException">It is of another type or order, or has more elements than fit into one array.</exception>
    /// <exception cref="BrokenFileException">It is no array, or truncated.</exception>
    internal static NamedArray Read(Stream stream, string path)
    {
        using Stream owned = stream;
        using NpyArray array = new(stream, path);
        if (array.Shape.Count > Array.MaxLength)
            throw new InvalidCallException($"{path} holds {array.Shape} numbers, more than can be read at once ({Array.MaxLength:N0}); save a part.");
        return NamedArray.Create(path, array.Shape, array.Read(0, (int)array.Shape.Count));
    }

    /// <summary>Writes a float32 array (version 1, aligned to 64 bytes as NumPy does), atomically.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's.</exception>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Write(string path, Shape shape, ReadOnlyMemory<float> values)
    {
        if (shape.Count != values.Length)
            throw new ArgumentException($"The shape {shape} asks for {shape.Count} values, not {values.Length}.", nameof(values));
        AtomicFile.Write(path, stream =>
        {
            NpyHeader.Write(stream, shape);
            Write(stream, values.Span);
        });
    }

    /// <summary>
    /// The same for an array that need not fit into memory and comes row by row (a row: one index of the first extent), in any order.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">Of the whole array.</param>
    /// <param name="fill">Calls what it is given with the number of a row and its values; rows that never come are zero.</param>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Write(string path, Shape shape, Action<Action<int, ReadOnlySpan<float>>> fill) => AtomicFile.Write(path, stream =>
    {
        NpyHeader.Write(stream, shape);
        long start = stream.Position;
        stream.SetLength(start + (shape.Count * sizeof(float)));
        fill((row, values) =>
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, shape.Count / shape[0], nameof(values));
            stream.Position = start + (row * (long)values.Length * sizeof(float));
            Write(stream, values);
        });
    });

    private static void Write(Stream stream, ReadOnlySpan<float> values)
    {
        const int chunk = 1 << 20;
        for (int i = 0; i < values.Length; i += chunk) stream.Write(MemoryMarshal.AsBytes(values.Slice(i, Math.Min(chunk, values.Length - i))));
    }
}
