using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>What stands before the numbers of an NPY file, versions 1 to 3: magic, version, header length, a Python dictionary.</summary>
/// <param name="Type">NumPy's name of the elements, for example <c>&lt;f4</c>.</param>
/// <param name="Shape">Extents, outermost first.</param>
/// <param name="Start">Offset of the first element.</param>
internal sealed partial record NpyHeader(string Type, Shape Shape, long Start)
{
    private const int FixedLength = 10;

    /// <summary>More elements than any disk holds, few enough that counting them in bytes does not overflow.</summary>
    private const long MostElements = long.MaxValue >> 4;

    /// <summary>Bytes of an element.</summary>
    public int ElementSize => Type switch
    {
        "<f8" or "<i8" => 8,
        "<f4" or "<i4" or "<u4" => 4,
        "<f2" or "<i2" or "<u2" => 2,
        _ => 1,
    };

    /// <summary>Reads the header from the stream's start, and checks that the numbers that it tells of are there and nothing else.</summary>
    /// <param name="stream">Seekable, at its start.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="InvalidCallException">The array is of a type or order that is not read.</exception>
    /// <exception cref="BrokenFileException">It is no array, or truncated.</exception>
    public static NpyHeader Read(Stream stream, string path)
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
        (string type, Shape shape) = Parse(path, (version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(headerBytes));
        NpyHeader header = new(type, shape, stream.Position);
        if (!NpyArray.Reads(type)) throw new InvalidCallException($"{path}: {WhatToDo(type)}");
        header.CheckLength(stream.Length, path);
        return header;
    }

    /// <summary>Writes the header of an array of float32 (version 1, aligned to 64 bytes as NumPy does).</summary>
    public static void Write(Stream stream, Shape shape)
    {
        string extents = shape.Rank == 1 ? $"{shape[0]}," : string.Join(", ", shape.ToArray());
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({extents}), }}";
        const int alignment = 64;
        int padded = (FixedLength + header.Length + 1 + alignment - 1) / alignment * alignment;
        header = header.PadRight(padded - FixedLength - 1) + '\n';
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.Latin1.GetBytes(header));
    }

    private void CheckLength(long length, string path)
    {
        long needed = Shape.Count * ElementSize, left = length - Start;
        if (left < needed)
            throw new BrokenFileException(path, $"the file is truncated: the array {Shape} takes {needed} bytes, only {left} are left.");
        if (left > needed) throw new BrokenFileException(path, $"{left - needed} bytes follow the array {Shape}.");
    }

    private static (string Type, Shape Shape) Parse(string path, string header)
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
        Int128 count = 1;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i].TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out extents[i]))
                throw new BrokenFileException(path, $"the shape ({match.Groups["shape"].Value}) has the extent '{ForeignText.Show(parts[i])}'.");
            count *= extents[i];
            if (count > MostElements)
                throw new BrokenFileException(path, $"the shape ({match.Groups["shape"].Value}) is larger than {MostElements} elements.");
        }

        return (match.Groups["type"].Value, new Shape(extents));
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
