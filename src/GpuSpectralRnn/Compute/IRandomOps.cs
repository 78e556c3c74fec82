namespace GpuSpectralRnn.Compute;

/// <summary>Operands of a fill with uniform random numbers.</summary>
/// <param name="Destination">Float32 of any shape; overwritten.</param>
/// <param name="Seed">Key of the generator.</param>
/// <param name="Stream">Number of the stream.</param>
/// <param name="Low">Least value.</param>
/// <param name="High">Exclusive upper end, above <paramref name="Low"/>.</param>
public readonly record struct UniformOperands(Tensor Destination, ulong Seed, ulong Stream, float Low, float High);

/// <summary>Operands of a fill with normal random numbers.</summary>
/// <param name="Destination">Float32 of any shape; overwritten.</param>
/// <param name="Seed">Key of the generator.</param>
/// <param name="Stream">Number of the stream.</param>
/// <param name="Mean">Mean.</param>
/// <param name="Deviation">Standard deviation, zero or more.</param>
public readonly record struct NormalOperands(Tensor Destination, ulong Seed, ulong Stream, float Mean, float Deviation)
{
    /// <summary>Which numbers of the stream it takes: 0, 1, 2, ... unless the destination is a part of something larger.</summary>
    public NumberWindow Numbers { get; init; }
}

/// <summary>Operands of dropout.</summary>
/// <param name="X">Float32 of any shape.</param>
/// <param name="Rate">Probability of a zero, from 0 to below 1.</param>
/// <param name="Seed">Key of the generator.</param>
/// <param name="Stream">Number of the stream; a different one for each layer and step.</param>
/// <param name="Y">Of x's count; may be x.</param>
public readonly record struct DropoutOperands(Tensor X, float Rate, ulong Seed, ulong Stream, Tensor Y)
{
    /// <summary>Which numbers of the stream it takes: 0, 1, 2, ... unless x is a part of something larger.</summary>
    public NumberWindow Numbers { get; init; }
}

/// <summary>A window on a stream of random numbers: element i takes number First + i + (i / Period) Gap.</summary>
/// <param name="First">The first element's number.</param>
/// <param name="Period">Elements side by side, 1 or more; 0: all of them.</param>
/// <param name="Gap">Numbers passed over after each period.</param>
public readonly record struct NumberWindow(long First, int Period, long Gap)
{
    /// <summary>The part of [T, B, H], or [B, H], that has rows <paramref name="first"/> to first + size of the <paramref name="whole"/> B.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="size">Rows of the part.</param>
    /// <param name="whole">Rows of the whole.</param>
    /// <param name="width">H.</param>
    public static NumberWindow OfRows(int first, int size, int whole, int width) =>
        new((long)first * width, size * width, (long)(whole - size) * width);
}

/// <summary>
/// Random numbers by Philox4x32-10 (Salmon et al., SC 2011): element i is a function of the seed, the stream and i, so every backend and every launch
/// shape gives the same uniform bits. Normal numbers go through log and cos and agree between backends to a few units in the last place.
/// </summary>
public interface IRandomOps
{
    /// <summary>Fills with independent uniform numbers of [low, high).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty.</exception>
    void Uniform(UniformOperands operands);

    /// <summary>
    /// Dropout (Srivastava et al., JMLR 2014): y[i] = x[i] / (1 - rate) where uniform number i of the stream, or of the window on it, is at least the
    /// rate, else 0. The backward pass is the same call on the gradient.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not of [0, 1).</exception>
    void Dropout(DropoutOperands operands);

    /// <summary>Fills with independent normal numbers (Box and Muller 1958).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The deviation is negative.</exception>
    void Normal(NormalOperands operands);
}
