namespace GpuSpectralRnn.Kernels;

/// <summary>Which random number of a stream an element takes: first + element + (element / period) gap.</summary>
/// <param name="first">The first element's number.</param>
/// <param name="period">Elements side by side.</param>
/// <param name="gap">Numbers passed over after each period.</param>
public readonly struct NumberPlaces(ulong first, int period, ulong gap)
{
    /// <summary>An element's number.</summary>
    public ulong Of(int element) => first + (ulong)element + ((ulong)(element / period) * gap);
}
