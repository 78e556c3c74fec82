using System.Globalization;
using System.Text;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// The header of a member of a tar archive (POSIX.1-2001, "pax", section "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format").
/// </summary>
/// <param name="Name">Its name, with its prefix.</param>
/// <param name="Size">Bytes of its content.</param>
/// <param name="Kind">The type flag.</param>
internal readonly record struct TarHeader(string Name, long Size, char Kind)
{
    /// <summary>Headers and contents begin at multiples of this.</summary>
    public const int Block = 512;

    private const int SizeAt = 124, SumAt = 148, KindAt = 156, MagicAt = 257, PrefixAt = 345;

    /// <summary>Reads a header.</summary>
    /// <param name="block">[512].</param>
    /// <returns>The header; null of a block that is no header.</returns>
    public static TarHeader? Parse(ReadOnlySpan<byte> block)
    {
        int sum = 8 * ' ';
        for (int i = 0; i < Block; i++)
        {
            if (i is < SumAt or >= SumAt + 8) sum += block[i];
        }

        if (Number(block.Slice(SumAt, 8)) != sum || Number(block.Slice(SizeAt, 12)) is not { } size) return null;
        string name = Text(block[..100]);
        bool hasPrefix = block.Slice(MagicAt, 6).SequenceEqual("ustar\0"u8);
        if (hasPrefix && Text(block.Slice(PrefixAt, 155)) is { Length: > 0 } prefix) name = $"{prefix}/{name}";
        return new TarHeader(name, size, (char)block[KindAt]);
    }

    /// <summary>The text of a field, which ends at the first zero byte.</summary>
    public static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    /// <summary>The records of a pax header, each <c>LENGTH KEY=VALUE\n</c>; null where they are damaged.</summary>
    public static Dictionary<string, string>? Records(ReadOnlySpan<byte> content)
    {
        Dictionary<string, string> records = [];
        while (content.Length > 0)
        {
            int space = content.IndexOf((byte)' ');
            if (space < 1 || !int.TryParse(content[..space], NumberStyles.None, CultureInfo.InvariantCulture, out int length)) return null;
            if (length <= space + 1 || length > content.Length || content[length - 1] != '\n') return null;
            ReadOnlySpan<byte> record = content[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals < 1) return null;
            records[Encoding.UTF8.GetString(record[..equals])] = Encoding.UTF8.GetString(record[(equals + 1)..]);
            content = content[length..];
        }

        return records;
    }

    // Octal digits among blanks, or where the first bit is set GNU's big-endian number.
    private static long? Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            long binary = field[0] & 0x7F;
            foreach (byte value in field[1..])
            {
                if (binary > long.MaxValue >> 9) return null;
                binary = (binary << 8) | value;
            }

            return binary;
        }

        long number = 0;
        foreach (char digit in Text(field).Trim())
        {
            if (digit is < '0' or > '7' || number > long.MaxValue >> 4) return null;
            number = (number << 3) | (uint)(digit - '0');
        }

        return number;
    }
}
