using System.Buffers.Binary;

namespace GpuSpectralRnn.Keras;

/// <summary>
/// Goes through the groups of an HDF5 file before the HDF5 reader does: that one takes memory for as many bytes as a length claims, up to 2 GB, before it
/// sees that they are not there, and follows addresses that go round. Looked at are object headers with their links and fill values, symbol tables and
/// name heaps; what is reached through a dense group (more than eight links in a group of the newer form) is not.
/// </summary>
internal sealed class GroupWalk
{
    // Types of header messages.
    private const int OldFillValue = 0x04, FillValue = 0x05, Link = 0x06, Continuation = 0x10, SymbolTable = 0x11;

    /// <summary>Bytes of one block of an object header; Keras' take some hundred.</summary>
    private const ulong LongestBlock = 1 << 20;

    private const int DeepestTree = 16;

    private readonly Stream stream;
    private readonly HashSet<ulong> seen = []; // addresses of objects, blocks, nodes
    private readonly Stack<ulong> objects = [];

    private GroupWalk(Stream stream) => this.stream = stream;

    /// <summary>Whether every length and address that was looked at lies in the file, and no address comes again.</summary>
    /// <param name="stream">The file, seekable; left at its start.</param>
    public static bool IsSound(Stream stream)
    {
        GroupWalk walk = new(stream);
        bool isSound = walk.FindRoot();
        while (isSound && walk.objects.TryPop(out ulong address)) isSound = !walk.seen.Add(address) || walk.TakeObject(address); // hard links may share an object
        stream.Position = 0;
        return isSound;
    }

    private static ulong Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    // A little-endian number of 1, 2, 4 or 8 bytes; null where they are not there.
    private static ulong? Number(ReadOnlySpan<byte> bytes, ref int at, int width)
    {
        if (at + width > bytes.Length) return null;
        ulong value = 0;
        for (int i = width - 1; i >= 0; i--) value = (value << 8) | bytes[at + i];
        at += width;
        return value;
    }

    // Null where the file ends before.
    private byte[]? Read(ulong address, ulong count)
    {
        if (count > LongestBlock || address > (ulong)stream.Length || count > (ulong)stream.Length - address) return null;
        byte[] bytes = new byte[count];
        stream.Position = (long)address;
        stream.ReadExactly(bytes);
        return bytes;
    }

    // The superblock at the file's start, with addresses and lengths of 8 bytes, as Keras writes it.
    private bool FindRoot()
    {
        ReadOnlySpan<byte> signature = [0x89, (byte)'H', (byte)'D', (byte)'F', (byte)'\r', (byte)'\n', 0x1A, (byte)'\n'];
        if (Read(0, 48) is not { } block || !block.AsSpan(0, 8).SequenceEqual(signature)) return false;
        bool isOld = block[8] < 2;
        if ((isOld ? (block[13], block[14]) : (block[9], block[10])) != (8, 8)) return false;
        ulong place = !isOld ? 36UL : block[8] == 0 ? 64UL : 68UL; // of the root group's address
        if (Read(place, 8) is not { } root) return false;
        objects.Push(Number(root, 0));
        return true;
    }

    private bool TakeObject(ulong address)
    {
        if (Read(address, 16) is not { } prefix) return false;
        if (!prefix.AsSpan(0, 4).SequenceEqual("OHDR"u8))
        {
            return prefix[0] == 1 && TakeBlocks(address + 16, BinaryPrimitives.ReadUInt32LittleEndian(prefix.AsSpan(8)), head: 8);
        }

        // Version, flags, perhaps four times and two numbers of attributes, the length of the messages, perhaps with the order of creation in each.
        int flags = prefix[5], at = 6 + ((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0);
        return Read(address, 40) is { } longer && Number(longer, ref at, 1 << (flags & 3)) is { } length
            && TakeBlocks(address + (ulong)at, length, (flags & 4) != 0 ? 6 : 4);
    }

    // The messages of an object header and of its continuations; head: bytes before each message's own, 8 in a header of version 1.
    private bool TakeBlocks(ulong address, ulong length, int head)
    {
        Queue<(ulong Address, ulong Length)> blocks = new([(address, length)]);
        while (blocks.TryDequeue(out (ulong Address, ulong Length) block))
        {
            if (Read(block.Address, block.Length) is not { } bytes || !seen.Add(block.Address)) return false;
            ReadOnlySpan<byte> left = bytes;
            while (left.Length >= head)
            {
                int type = head == 8 ? BinaryPrimitives.ReadUInt16LittleEndian(left) : left[0];
                int size = BinaryPrimitives.ReadUInt16LittleEndian(left[(head == 8 ? 2 : 1)..]);
                if (size > left.Length - head) return false;
                ReadOnlySpan<byte> message = left.Slice(head, size);
                if (type == Continuation)
                {
                    if (size < 16) return false;
                    (ulong start, ulong count) = (Number(message, 0), Number(message, 8));
                    if (head != 8) (start, count) = (start + 4, count - 8); // between "OCHK" and a checksum
                    blocks.Enqueue((start, count));
                }
                else if (!Fits(type, message))
                {
                    return false;
                }

                left = left[(head + size)..];
            }
        }

        return true;
    }

    private bool Fits(int type, ReadOnlySpan<byte> message)
    {
        switch (type)
        {
            case SymbolTable:
                return message.Length >= 16 && TakeTree(Number(message, 0), level: -1) && HeapFits(Number(message, 8));
            case Link:
                return TakeLink(message);
            case OldFillValue: // the value's length
                return LengthFits(message, 0);
            case FillValue when message.Length > 3 && message[0] < 3: // version, two times, whether there is a value, its length
                return message[3] == 0 || LengthFits(message, 4);
            case FillValue when message.Length > 1 && message[0] >= 3: // version, flags, perhaps the value's length
                return (message[1] & 0x20) == 0 || LengthFits(message, 2);
            default:
                return type != FillValue;
        }
    }

    private static bool LengthFits(ReadOnlySpan<byte> message, int at) =>
        Number(message, ref at, sizeof(uint)) is { } length && length <= (ulong)(message.Length - at);

    // Version, flags, perhaps a type, an order of creation and an encoding, the name with its length; of a hard link the object's address.
    private bool TakeLink(ReadOnlySpan<byte> message)
    {
        if (message.Length < 2) return false;
        int flags = message[1], at = 2 + ((flags & 0x08) != 0 ? 1 : 0) + ((flags & 0x04) != 0 ? 8 : 0) + ((flags & 0x10) != 0 ? 1 : 0);
        if (Number(message, ref at, 1 << (flags & 3)) is not { } length || length > (ulong)(message.Length - at)) return false;
        at += (int)length;
        if ((flags & 0x08) != 0 && message[2] != 0) return true; // a soft link, of which Keras has none
        if (Number(message, ref at, sizeof(ulong)) is not { } address) return false;
        objects.Push(address);
        return true;
    }

    // "TREE", type, level, entries, two neighbours; then a key before each child. The leaves' children are nodes of symbols.
    private bool TakeTree(ulong address, int level)
    {
        if (Read(address, 24) is not { } node || !node.AsSpan(0, 4).SequenceEqual("TREE"u8) || !seen.Add(address)) return false;
        int its = node[5];
        ulong entries = BinaryPrimitives.ReadUInt16LittleEndian(node.AsSpan(6));
        if (its > DeepestTree || (level >= 0 && its != level) || Read(address + 24, entries * 16) is not { } children) return false;
        for (int i = 0; i < children.Length; i += 16)
        {
            ulong child = Number(children, i + 8);
            if (its > 0 ? !TakeTree(child, its - 1) : !TakeSymbols(child)) return false;
        }

        return true;
    }

    // "SNOD", version, number; then 40 bytes each: the place of the name, the address of the object, more.
    private bool TakeSymbols(ulong address)
    {
        if (Read(address, 8) is not { } node || !node.AsSpan(0, 4).SequenceEqual("SNOD"u8)) return false;
        if (Read(address + 8, BinaryPrimitives.ReadUInt16LittleEndian(node.AsSpan(6)) * 40UL) is not { } entries) return false;
        for (int i = 0; i < entries.Length; i += 40) objects.Push(Number(entries, i + 8));
        return true;
    }

    // "HEAP", version, the length of the names, a free list, their address.
    private bool HeapFits(ulong address) =>
        Read(address, 32) is { } heap && heap.AsSpan(0, 4).SequenceEqual("HEAP"u8)
        && Number(heap, 24) <= (ulong)stream.Length && Number(heap, 8) <= (ulong)stream.Length - Number(heap, 24);
}
