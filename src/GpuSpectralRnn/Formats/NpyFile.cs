using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// One array in NumPy's NPY format, versions 1 to 3 (NumPy Enhancement Proposal 1): magic, version, header length, a Python dictionary, raw data.
/// Reads little-endian float32, float64, int32, int64 and uint8 in C order, and bool, float16, int8, int16, uint16 and uint32 as the next wider of
/// these; writes float32.
/// </summary>
public static partial class NpyFile
{
    /// <summary>Reads the array; its elements are float, double, int, long or byte as in the file.</summary>
    /// <exception cref="InvalidCallException">The file does not exist or may not be read, or holds an array of another type or order; the message
    /// says how to convert it.</exception>
    /// <exception cref="BrokenFileException">The content is not an NPY file, or truncated.</exception>
    public static NamedArray Read(string path)
    {
        using FileStream stream = InputFile.Open(path, "NPY file");
        return Read(stream, path);
    }

    /// <summary>Reads the array that <paramref name="stream"/>, seekable, holds from its start to its end; <paramref name="path"/> is for messages.</summary>
    /// <exception cref="InvalidCallException">It is of another type or order.</exception>
    /// <exception cref="BrokenFileException">It is no array, or truncated.</exception>
    internal static NamedArray Read(Stream stream, string path)
    {
        Span<byte> start = stackalloc byte[12];
        InputFile.ReadExactly(stream, start[..8], path, "the magic number");
        if (start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
        {
            throw start[..2].SequenceEqual("PK"u8)
                ? new InvalidCallException($"{path} is an archive of arrays (.npz); save each with numpy.save in a file of its own.")
                : new BrokenFileException(path, "the file does not begin with NumPy's magic number; not an NPY file.");
        }

        int version = start[6];
        if (version is < 1 or > 3) throw new BrokenFileException(path, $"the NPY version {version} is unknown; versions 1 to 3 are.");
        Span<byte> lengthBytes = start.Slice(8, version == 1 ? 2 : 4);
        InputFile.ReadExactly(stream, lengthBytes, path, "the header length");
        long headerLength = version == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(lengthBytes)
            : BinaryPrimitives.ReadUInt32LittleEndian(lengthBytes);
        if (headerLength > stream.Length - stream.Position)
            throw new BrokenFileException(
                path, $"the file is truncated: the header takes {headerLength} bytes, only {stream.Length - stream.Position} are left.");
        byte[] headerBytes = new byte[headerLength];
        InputFile.ReadExactly(stream, headerBytes, path, "the header");
        (string type, Shape shape) = ParseHeader(path, (version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(headerBytes));
        return type switch
        {
            "<f4" => NamedArray.Create(path, shape, ReadValues<float>(stream, path, shape)),
            "<f8" => NamedArray.Create(path, shape, ReadValues<double>(stream, path, shape)),
            "<i4" => NamedArray.Create(path, shape, ReadValues<int>(stream, path, shape)),
            "<i8" => NamedArray.Create(path, shape, ReadValues<long>(stream, path, shape)),
            "|u1" => NamedArray.Create(path, shape, ReadValues<byte>(stream, path, shape)),
            "|b1" => NamedArray.Create(path, shape, ReadValues<byte>(stream, path, shape)),
            "<f2" => NamedArray.Create(path, shape, Array.ConvertAll(ReadValues<Half>(stream, path, shape), value => (float)value)),
            "|i1" => NamedArray.Create(path, shape, Array.ConvertAll(ReadValues<sbyte>(stream, path, shape), value => (int)value)),
            "<i2" => NamedArray.Create(path, shape, Array.ConvertAll(ReadValues<short>(stream, path, shape), value => (int)value)),
            "<u2" => NamedArray.Create(path, shape, Array.ConvertAll(ReadValues<ushort>(stream, path, shape), value => (int)value)),
            "<u4" => NamedArray.Create(path, shape, Array.ConvertAll(ReadValues<uint>(stream, path, shape), value => (long)value)),
            _ => throw new InvalidCallException($"{path}: {WhatToDo(type)}"),
        };
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
            WriteHeader(stream, shape);
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
        WriteHeader(stream, shape);
        long start = stream.Position;
        stream.SetLength(start + (shape.Count * sizeof(float)));
        fill((row, values) =>
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, shape.Count / shape[0], nameof(values));
            stream.Position = start + (row * (long)values.Length * sizeof(float));
            Write(stream, values);
        });
    });

    private static void WriteHeader(Stream stream, Shape shape)
    {
        string extents = shape.Rank == 1 ? $"{shape[0]}," : string.Join(", ", shape.ToArray());
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({extents}), }}";
        const int alignment = 64;
        const int fixedLength = 10;
        int padded = (fixedLength + header.Length + 1 + alignment - 1) / alignment * alignment;
        header = header.PadRight(padded - fixedLength - 1) + '\n';
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.Latin1.GetBytes(header));
    }

    private static void Write(Stream stream, ReadOnlySpan<float> values)
    {
        const int chunk = 1 << 20;
        for (int i = 0; i < values.Length; i += chunk) stream.Write(MemoryMarshal.AsBytes(values.Slice(i, Math.Min(chunk, values.Length - i))));
    }

    private static (string Type, Shape Shape) ParseHeader(string path, string header)
    {
        Match match = HeaderPattern().Match(header);
        if (!match.Success || new[] { "type", "order", "shape" }.Any(key => match.Groups[key].Captures.Count != 1))
        {
            if (RecordPattern().IsMatch(header))
                throw new InvalidCallException($"{path}: an array of records is not read; save one plain array per file.");
            throw new BrokenFileException(path, $"the header {ForeignText.Show(header.Trim())} is not descr, fortran_order and shape.");
        }

        if (match.Groups["order"].Value == "True")
            throw new InvalidCallException($"{path}: the array is in Fortran order; save numpy.ascontiguousarray(a) instead.");
        string[] parts = match.Groups["shape"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        int[] extents = new int[parts.Length];
        long count = 1;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i].TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out extents[i]))
                throw new BrokenFileException(path, $"the shape ({match.Groups["shape"].Value}) has the extent '{ForeignText.Show(parts[i])}'.");
            count *= extents[i];
            if (count > Array.MaxLength)
                throw new BrokenFileException(path, $"the shape ({match.Groups["shape"].Value}) is larger than {Array.MaxLength} elements.");
        }

        return (match.Groups["type"].Value, new Shape(extents));
    }

    private static T[] ReadValues<T>(Stream stream, string path, Shape shape)
        where T : unmanaged
    {
        long needed = shape.Count * Marshal.SizeOf<T>();
        long left = stream.Length - stream.Position;
        if (left < needed)
            throw new BrokenFileException(path, $"the file is truncated: the array {shape} takes {needed} bytes, only {left} are left.");
        if (left > needed) throw new BrokenFileException(path, $"{left - needed} bytes follow the array {shape}.");
        return InputFile.ReadValues<T>(stream, shape.Count, path, "the data");
    }

    // What converts the arrays that NumPy calls so, as far as anything does.
    private static string WhatToDo(string type) => type.TrimStart('<', '>', '|', '=') switch
    {
        ['O', ..] => "an array of Python objects is not read. Sequences of different lengths: "
            + "pad them to one [N, T, I] of float32 and give `lengthsPath`.",
        ['U' or 'S', ..] => "an array of words is not read; number the classes, numpy.unique(a, return_inverse=True)[1].astype('int32').",
        ['V', ..] =>
            $"elements of type {ForeignText.Show(type)} are bytes that NumPy knows no numbers for; convert them to float32 where they were made.",
        _ => $"elements of type {ForeignText.Show(type)} are not read; save numbers as a.astype('float32'), labels as a.astype('int32').",
    };

    // A Python dictionary of exactly the three keys, in any order; Python 2 wrote u'...' and long numbers as 5L. (?>...) takes white space once and
    // for all: with other ways to share it out, a header of nothing else would take forever.
    [GeneratedRegex(
        @"^(?>\s*)\{(?>\s*)((?:u?['""]descr['""](?>\s*):(?>\s*)u?['""](?<type>[^'""]*)['""]|u?['""]fortran_order['""](?>\s*):(?>\s*)(?<order>True|False)"
        + @"|u?['""]shape['""](?>\s*):(?>\s*)\((?<shape>[\w\s,]*)\))(?>\s*,?\s*)){3}\}\s*$")]
    private static partial Regex HeaderPattern();

    [GeneratedRegex(@"['""]descr['""](?>\s*):(?>\s*)\[")]
    private static partial Regex RecordPattern();
}
