namespace GpuSpectralRnn.Tests.Formats;

/// <summary>Damaged variants of a file, the same in every run: bytes flipped, cut, doubled, spliced from another file, numbers in the header changed.</summary>
internal sealed class Mutations(int seed, params byte[][] sound)
{
    private readonly Random random = new(seed);

    /// <summary>So many of them.</summary>
    public IEnumerable<byte[]> Take(int count) => Enumerable.Range(0, count).Select(_ => Next());

    private byte[] Next()
    {
        List<byte> bytes = [.. Pick()];
        int changes = random.Next(1, 4);
        for (int i = 0; i < changes; i++) Change(bytes);
        return [.. bytes];
    }

    private byte[] Pick() => sound[random.Next(sound.Length)];

    // Headers come first: every second change is among the first bytes.
    private int Place(int count) => random.Next(random.Next(2) == 0 ? Math.Min(count, 160) : count);

    private void Change(List<byte> bytes)
    {
        if (bytes.Count == 0) return;
        int at = Place(bytes.Count), length = Math.Min(random.Next(1, 24), bytes.Count - at);
        switch (random.Next(8))
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
        bytes.InsertRange(begin, System.Text.Encoding.ASCII.GetBytes(numbers[random.Next(numbers.Length)]));
    }
}
