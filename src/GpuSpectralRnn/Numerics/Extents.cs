namespace GpuSpectralRnn.Numerics;

/// <summary>Checked products of extents for single allocations.</summary>
internal static class Extents
{
    /// <summary>The product of the extents, at most the length of one array and a 32-bit index.</summary>
    /// <param name="what">What is allocated, for the message.</param>
    /// <param name="remedy">What the caller can do if it is too large, for the message.</param>
    /// <param name="extents">The extents, each zero or more.</param>
    /// <exception cref="InvalidCallException">The product is larger than one array.</exception>
    public static int Product(string what, string remedy, params ReadOnlySpan<long> extents)
    {
        decimal product = 1; // no overflow: three extents of 31 bits fit its 96
        foreach (long extent in extents) product *= extent;
        return product <= Array.MaxLength
            ? (int)product
            : throw new InvalidCallException($"{what} would have {product} numbers in one piece, more than {Array.MaxLength}; {remedy}.");
    }
}
