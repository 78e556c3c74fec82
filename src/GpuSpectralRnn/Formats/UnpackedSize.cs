namespace GpuSpectralRnn.Formats;

/// <summary>How much a packed file may unpack to: small files that unpack to fill the memory are refused before they do.</summary>
internal static class UnpackedSize
{
    /// <summary>What is unpacked of any file, however small, in bytes.</summary>
    private const long Free = 16 << 20;

    /// <summary>Above that, the largest ratio. Weights and measured numbers shrink to a half or less, images of digits to a fifth, padded sequences to some percent.</summary>
    private const int LargestRatio = 100;

    /// <summary>What to do with an honest file that shrank more.</summary>
    public const string Remedy = "If it is sound, save it without compression.";

    /// <summary>The largest size, in bytes, that a file of <paramref name="packed"/> bytes may unpack to.</summary>
    public static long Bound(long packed) => Math.Max(Free, LargestRatio * packed);
}
