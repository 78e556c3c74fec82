using System.Buffers.Binary;

namespace GpuSpectralRnn.Keras;

/// <summary>
/// Looks through the object headers of an HDF5 file (version 2, "OHDR") for lengths that reach beyond their message: the HDF5 reader takes memory for as
/// many bytes as they claim, up to 2 GB, before it sees that they are not there. (Headers of version 1, which h5py writes, keep links elsewhere.)
/// </summary>
internal static class ObjectHeaders
{
    private const int OldFillValue = 4, FillValue = 5, Link = 6; // types of messages

    /// <summary>Bytes of a header's messages that are looked at: a length of more is none that Keras has use for.</summary>
    private const int LongestHeader = 1 << 20;

    /// <summary>Whether every length lies within its message.</summary>
    /// <param name="stream">The file, seekable; its position afterwards is the start.</param>
    public static bool AreSound(Stream stream)
    {
        byte[] block = new byte[1 << 16];
        for (long start = 0; ;)
        {
            stream.Position = start;
            int got = stream.ReadAtLeast(block, block.Length, throwOnEndOfStream: false), at = 0;
            for (int found; (found = block.AsSpan(at, got - at).IndexOf("OHDR"u8)) >= 0; at++)
            {
                at += found;
                if (!IsSound(stream, start + at)) return false;
            }

            if (got < block.Length) break;
            start += got - 3; // a signature may lie across
        }

        stream.Position = 0;
        return true;
    }

    // Signature, version, flags, perhaps four times and two numbers of attributes, the length of the messages, the messages.
    private static bool IsSound(Stream stream, long place)
    {
        Span<byte> prefix = stackalloc byte[40];
        stream.Position = place;
        prefix = prefix[..stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false)];
        if (prefix.Length < 7 || prefix[4] != 2) return true; // another version, or chance: the reader says so
        int flags = prefix[5], begin = 6 + ((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0);
        if (Number(prefix, ref begin, 1 << (flags & 3)) is not { } length) return true;
        byte[] messages = new byte[(int)Math.Min(Math.Min(length, LongestHeader), (ulong)(stream.Length - place))];
        stream.Position = place + begin;
        Span<byte> left = messages.AsSpan(0, stream.ReadAtLeast(messages, messages.Length, throwOnEndOfStream: false));
        int head = (flags & 4) != 0 ? 6 : 4; // with the order of creation
        while (left.Length >= head)
        {
            int type = left[0], size = BinaryPrimitives.ReadUInt16LittleEndian(left[1..]);
            ReadOnlySpan<byte> message = left.Slice(head, Math.Min(size, left.Length - head));
            if (!Fits(type, message)) return false;
            left = left[(head + message.Length)..];
        }

        return true;
    }

    private static bool Fits(int type, ReadOnlySpan<byte> message)
    {
        if (message.Length < 2) return true;
        int at = 2;
        ulong? length = 0;
        if (type == OldFillValue) // the value's length
        {
            at = 0;
            length = Number(message, ref at, sizeof(uint));
        }
        else if (type == Link) // version, flags, perhaps a type, an order of creation and an encoding, the name's length
        {
            int flags = message[1];
            at += ((flags & 0x08) != 0 ? 1 : 0) + ((flags & 0x04) != 0 ? 8 : 0) + ((flags & 0x10) != 0 ? 1 : 0);
            length = Number(message, ref at, 1 << (flags & 3));
        }
        else if (type == FillValue && message[0] >= 3 && (message[1] & 0x20) != 0) // version, flags, perhaps the value's length
        {
            length = Number(message, ref at, sizeof(uint));
        }
        else if (type == FillValue && message[0] < 3) // version, two times, whether there is a value, its length
        {
            at = 4;
            length = message.Length > 3 && message[3] != 0 ? Number(message, ref at, sizeof(uint)) : 0;
        }

        return length is { } bytes && bytes <= (ulong)(message.Length - Math.Min(at, message.Length));
    }

    // A little-endian number of 1, 2, 4 or 8 bytes; null where they are not there.
    private static ulong? Number(ReadOnlySpan<byte> bytes, ref int at, int width)
    {
        if (at + width > bytes.Length) return null;
        ulong value = 0;
        for (int i = width - 1; i >= 0; i--) value = (value << 8) | bytes[at + i];
        at += width;
        return value;
    }
}
