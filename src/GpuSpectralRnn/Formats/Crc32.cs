namespace GpuSpectralRnn.Formats;

/// <summary>The checksum of gzip and zip files: CRC-32 with the reversed polynomial 0xEDB88320 (RFC 1952, section 8).</summary>
internal static class Crc32
{
    private static readonly uint[] Table =
    [
        .. Enumerable.Range(0, 256).Select(i =>
        {
            uint value = (uint)i;
            for (int bit = 0; bit < 8; bit++) value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xEDB88320;
            return value;
        }),
    ];

    /// <summary>The checksum of <paramref name="bytes"/>, which go on after those of checksum <paramref name="before"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        uint sum = ~before;
        foreach (byte value in bytes) sum = Table[(byte)(sum ^ value)] ^ (sum >> 8);
        return ~sum;
    }
}
