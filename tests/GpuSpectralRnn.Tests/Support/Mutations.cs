using System.Text;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// Damaged variants of a file, the same in every run: bytes flipped, cut out, doubled, spliced from another file, overwritten by words that files of text
/// trip over; numbers in decimal digits or little-endian changed.
/// </summary>
internal sealed class Mutations(int seed, params byte[][] sound)
{
    private static readonly byte[][] Words =
    [
        .. new[] { "0", "-1", "99999999999", "1e308", "NaN", "null", "{}", "[", "\"", "\x1b[2J", "\0", "é", "5L", "<f4", "|O", "F32", "I64" }
            .Select(word => Encoding.UTF8.GetBytes(word)),
    ];

    private readonly Random random = new(seed);

    /// <summary>So many of them.</summary>
    public IEnumerable<byte[]> Take(int count) => Enumerable.Range(0, count).Select(_ => Next());

    /// <summary>One more.</summary>
    public byte[] Next()
    {
        List<byte> bytes = [.. Pick()];
        int changes = random.Next(1, 4);
        for (int i = 0; i < changes; i++) Change(bytes);
        return [.. bytes];
    }

    private byte[] Pick() => sound[random.Next(sound.Length)];

    // Headers come first, directories and checksums last: every second change is there.
    private int Place(int count) => random.Next(4) switch
    {
        0 => random.Next(Math.Min(count, 160)),
        1 => random.Next(Math.Min(count, 600)),
        2 => Math.Max(0, count - 1 - random.Next(200)),
        _ => random.Next(count),
    };

    private void Change(List<byte> bytes)
    {
        if (bytes.Count == 0) return;
        int at = Place(bytes.Count), length = Math.Min(random.Next(1, 24), bytes.Count - at);
        switch (random.Next(11))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes[at] = (byte)random.Next(256); break;
            case 2: bytes.RemoveRange(at, bytes.Count - at); break;
            case 3: bytes.RemoveRange(at, length); break;
            case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 5:
                byte[] other = Pick();
                int from = random.Next(other.Length);
                bytes.InsertRange(at, other.AsSpan(from, Math.Min(length, other.Length - from)).ToArray());
                break;
            case 6: ChangeNumber(bytes, at); break;
            case 7: bytes.InsertRange(at, Words[random.Next(Words.Length)]); break;
            case 8:
                foreach (byte value in Words[random.Next(Words.Length)].Take(bytes.Count - at)) bytes[at++] = value;
                break;
            case 9: bytes[at] = (byte)(bytes[at] + random.Next(-2, 3)); break; // numbers of fields, types and extents beside the true ones
            default:
                byte[] extreme = [0x00, 0x7F, 0x80, 0xFF];
                for (int i = 0; i < Math.Min(length, 8); i++) bytes[at + i] = extreme[random.Next(4)];
                break;
        }
    }

    // The next number in decimal digits becomes another, perhaps a huge one.
    private void ChangeNumber(List<byte> bytes, int at)
    {
        int begin = bytes.FindIndex(at, value => value is >= (byte)'0' and <= (byte)'9');
        if (begin < 0) return;
        int end = begin;
        while (end < bytes.Count && bytes[end] is >= (byte)'0' and <= (byte)'9') end++;
        string[] numbers = ["0", "1", "-1", "65536", "2147483647", "4294967296", "9223372036854775807", "99999999999999999999", "1e9", $"{random.Next(1000)}"];
        bytes.RemoveRange(begin, end - begin);
        bytes.InsertRange(begin, Encoding.ASCII.GetBytes(numbers[random.Next(numbers.Length)]));
    }
}
