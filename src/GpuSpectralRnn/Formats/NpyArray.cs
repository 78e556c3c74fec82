using System.Buffers;
using System.Numerics;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// One array of NumPy's NPY format (NumPy Enhancement Proposal 1), open to be read in parts of any size: nothing is kept of what was read. One thread
/// at a time.
/// </summary>
public sealed class NpyArray : IDisposable
{
    private const int Chunk = 1 << 18; // elements that are converted at a time

    private readonly Stream stream;
    private readonly NpyHeader header;

    /// <summary>Reads the header of what <paramref name="stream"/>, seekable, holds from its start to its end; the stream is disposed with this.</summary>
    /// <exception cref="InvalidCallException">It is of a type or order that is not read.</exception>
    /// <exception cref="BrokenFileException">It is no array, or truncated.</exception>
    internal NpyArray(Stream stream, string path)
    {
        (this.stream, Name) = (stream, path);
        header = NpyHeader.Read(stream, path);
    }

    /// <summary>The file, for messages.</summary>
    public string Name { get; }

    /// <summary>Extents, outermost first.</summary>
    public Shape Shape => header.Shape;

    /// <summary>Whether the elements are floating-point numbers; else they are integers.</summary>
    public bool IsReal => header.Type is "<f2" or "<f4" or "<f8";

    /// <summary>NumPy's name of the elements' type.</summary>
    internal string Type => header.Type;

    /// <summary>Opens a file.</summary>
    /// <exception cref="InvalidCallException">It does not exist or may not be read, or holds an array of another type or order; the message says how to
    /// convert it.</exception>
    /// <exception cref="BrokenFileException">The content is no NPY file, or truncated.</exception>
    public static NpyArray Open(string path)
    {
        FileStream stream = InputFile.OpenForParts(path, "NPY file");
        try
        {
            return new NpyArray(stream, path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Whether elements of this type are read.</summary>
    internal static bool Reads(string type) =>
        type is "<f4" or "<f8" or "<f2" or "<i4" or "<i8" or "|u1" or "|b1" or "|i1" or "<i2" or "<u2" or "<u4";

    /// <summary>
    /// Elements as files have them: a float[], double[], int[], long[] or byte[]; those of other types as the next wider of these.
    /// </summary>
    /// <param name="first">Index of the first, row-major.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="BrokenFileException">The file cannot be read.</exception>
    public Array Read(long first, int count) => header.Type switch
    {
        "<f4" => Elements<float>(first, count),
        "<f8" => Elements<double>(first, count),
        "<i4" => Elements<int>(first, count),
        "<i8" => Elements<long>(first, count),
        "|u1" or "|b1" => Elements<byte>(first, count),
        "<f2" => Array.ConvertAll(Elements<Half>(first, count), value => (float)value),
        "|i1" => Array.ConvertAll(Elements<sbyte>(first, count), value => (int)value),
        "<i2" => Array.ConvertAll(Elements<short>(first, count), value => (int)value),
        "<u2" => Array.ConvertAll(Elements<ushort>(first, count), value => (int)value),
        _ => Array.ConvertAll(Elements<uint>(first, count), value => (long)value),
    };

    /// <summary>Floating-point elements as float32, from index <paramref name="first"/> on; nothing is allocated.</summary>
    /// <exception cref="InvalidOperationException">They are integers.</exception>
    /// <exception cref="BrokenFileException">The file cannot be read.</exception>
    public void Read(long first, Span<float> values)
    {
        switch (header.Type)
        {
            case "<f4": Fill(first, values); break;
            case "<f8": Convert<double>(first, values); break;
            case "<f2": Convert<Half>(first, values); break;
            default: throw new InvalidOperationException($"{Name} holds integers.");
        }
    }

    /// <summary>Says that these elements will be read soon.</summary>
    public void Expect(long first, long count)
    {
        if (stream is FileStream file) FileAdvice.Expect(file.SafeFileHandle, header.Start + (first * header.ElementSize), count * header.ElementSize);
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private T[] Elements<T>(long first, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        Fill(first, values.AsSpan());
        return values;
    }

    private void Convert<T>(long first, Span<float> values)
        where T : unmanaged, INumberBase<T>
    {
        T[] read = ArrayPool<T>.Shared.Rent(Math.Min(Chunk, values.Length));
        try
        {
            while (!values.IsEmpty)
            {
                Span<T> part = read.AsSpan(0, Math.Min(Chunk, values.Length));
                Fill(first, part);
                for (int i = 0; i < part.Length; i++) values[i] = float.CreateTruncating(part[i]);
                first += part.Length;
                values = values[part.Length..];
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(read);
        }
    }

    private void Fill<T>(long first, Span<T> values)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + values.Length, Shape.Count, nameof(first));
        stream.Position = header.Start + (first * header.ElementSize);
        InputFile.ReadValues(stream, values, Name, "the data");
    }
}
