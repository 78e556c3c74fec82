namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Exponential, logarithm and logistic function in integers, 32 binary digits behind the point, to 2e-9. Every device gives the same bits, whichever
/// way it rounds divisions and whether or not it fuses products with sums, which single precision does not promise. All numbers stay below 2^63: ILGPU
/// writes unsigned products as signed ones, which OpenCL's compilers suppose never to overflow.
/// </summary>
public static class FixedPoint
{
    /// <summary>1.</summary>
    public const long One = 1L << 32;

    private const ulong LogOfTwo = 2977044472; // ln 2
    private const ulong Half = 1UL << 31;

    /// <summary>x, its digits below 2^-32 cut off; |x| below 2^31.</summary>
    public static long From(float x) => (long)(x * 4294967296f);

    /// <summary>ln(u / (1 - u)) of u = <paramref name="word"/> / 2^32, which is above zero.</summary>
    public static long Logit(uint word) => Log(word) - Log((ulong)One - word);

    /// <summary>1 / (1 + e^-x) with 30 digits behind the point, 0 to 2^30; |x| below 32.</summary>
    public static long Sigmoid(long x)
    {
        ulong exponential = ExpOfMinus((ulong)(x < 0 ? -x : x));
        ulong share = x < 0 ? exponential : (ulong)One;
        return (long)((share << 30) / ((ulong)One + exponential));
    }

    // e^-a, 0 <= a < 32: a = n ln 2 + r, 0 <= r < ln 2. Taylor's series after Horner; the first term left out is below 2e-12.
    private static ulong ExpOfMinus(ulong a)
    {
        ulong n = a / LogOfTwo;
        ulong r = (a - n * LogOfTwo) >> 1; // 31 digits
        ulong p = (ulong)One;
        for (uint k = 12; k > 0; k--) p = (ulong)One - (uint)((r * p) >> 31) / k;
        return p >> (int)n;
    }

    // ln(m / 2^31), 0 < m < 2^32: m = 2^e f 2^31, 1 <= f < 2, and ln f = 2 artanh(s), s <= 1/3; the first term left out is below 1e-11.
    private static long Log(ulong m)
    {
        int exponent = 0;
        for (int step = 16; step > 0; step >>= 1)
        {
            int shift = m >> (32 - step) == 0 ? step : 0;
            m <<= shift;
            exponent -= shift;
        }

        ulong s = ((m - Half) << 32) / (m + Half);
        ulong q = (s * s) >> 32;
        ulong p = uint.MaxValue / 19u;
        for (int k = 17; k > 0; k -= 2) p = uint.MaxValue / (uint)k + ((q * p) >> 32);
        return exponent * (long)LogOfTwo + (long)((s * p) >> 31);
    }
}
