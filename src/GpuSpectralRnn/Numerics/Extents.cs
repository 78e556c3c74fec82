namespace GpuSpectralRnn.Numerics;

/// <summary>Products of extents that memory is taken for in one piece.</summary>
internal static class Extents
{
    /// <summary>The product, which one array, and a 32-bit index, must hold.</summary>
    /// <param name="what">Whose memory it is, for the message.</param>
    /// <param name="remedy">What to do where it is too much, for the message.</param>
    /// <param name="extents">Zero or more, each.</param>
    /// <exception cref="InvalidCallException">One array does not hold so much.</exception>
    public static int Product(string what, string remedy, params ReadOnlySpan<long> extents)
    {
        decimal product = 1; // no overflow: three extents of 31 bits fit its 96
        foreach (long extent in extents) product *= extent;
        return product <= Array.MaxLength
            ? (int)product
            : throw new InvalidCallException($"{what} would have {product} numbers in one piece, more than {Array.MaxLength}; {remedy}.");
    }
}
