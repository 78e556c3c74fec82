using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elementary functions in plain single precision, to a few units in the last place on every device. The hardware instructions have larger errors
/// (PTX tanh.approx 5e-4, lg2.approx 2^-22 absolute, even for tiny results). NaN stays NaN.
/// </summary>
public static class Elementary
{
    private const float LowestExponent = -87.3f;
    private const float HighestExponent = 88.72f;

    /// <summary>e^x; 0 where the result would be below the normal range, infinity above the largest number.</summary>
    public static float Exp(float x) =>
        x < LowestExponent ? 0f // a choice, not a statement with a return: ILGPU turns that one's comparison round, and OpenCL then answers yes for NaN
        : x > HighestExponent ? float.PositiveInfinity
        : ExpInRange(x);

    /// <summary>The natural logarithm of a positive normal number (0 gives no meaningful result); infinity gives infinity.</summary>
    public static float Log(float x)
    {
        if (!(x <= float.MaxValue)) return x;

        // x = m 2^e with m in [0.7, 1.42): near 1 the exponent is 0 and nothing cancels.
        uint bits = Interop.FloatAsInt(x);
        int exponent = (int)((bits - 0x3F350000u) >> 23);
        if (bits < 0x3F350000u) exponent -= 512;
        float m = Interop.IntAsFloat(bits - ((uint)exponent << 23));

        // ln m = 2 artanh(s), |s| <= 0.172: the first term left out is below 2e-9 of the first.
        float s = (m - 1f) / (m + 1f);
        float q = s * s;
        float p = 1f / 9f;
        p = p * q + 1f / 7f;
        p = p * q + 1f / 5f;
        p = p * q + 1f / 3f;
        p = 2f * s + 2f * s * q * p;
        return exponent * 0.693359375f + (p - exponent * 2.12194440e-4f);
    }

    /// <summary>tanh x.</summary>
    public static float Tanh(float x)
    {
        float a = x < 0f ? -x : x;
        if (a < 0.6f)
        {
            // Lambert's continued fraction, five terms: below 1e-9 off there.
            float q = x * x;
            return x * (945f + q * (105f + q)) / (945f + q * (420f + 15f * q));
        }

        float t = 1f - 2f / (Exp(2f * a) + 1f);
        return x < 0f ? -t : t;
    }

    /// <summary>The logistic function 1 / (1 + e^-x).</summary>
    public static float Sigmoid(float x) => 1f / (1f + Exp(-x));

    /// <summary>
    /// The logistic function by the device's exponential, to 3e-7: for kernels dominated by these functions.
    /// </summary>
    public static float GateSigmoid(float x) => 1f / (1f + MathF.Exp(-x));

    /// <summary>tanh x as 2 sigmoid(2x) - 1, with an absolute error of 6e-7.</summary>
    public static float GateTanh(float x) => 2f * GateSigmoid(2f * x) - 1f;

    /// <summary>cos(2 pi u) for u in [0, 1).</summary>
    public static float CosOfTurn(float u)
    {
        // Quarter turns are exact; what is left is at most an eighth of a turn either way.
        float quarters = 4f * u;
        int quarter = (int)(quarters + 0.5f);
        float x = (quarters - quarter) * 1.57079633f;
        float q = x * x;
        float c = -1f / 3628800f;
        c = c * q + 1f / 40320f;
        c = c * q - 1f / 720f;
        c = c * q + 1f / 24f;
        c = c * q - 0.5f;
        c = c * q + 1f;
        float s = 1f / 362880f;
        s = s * q - 1f / 5040f;
        s = s * q + 1f / 120f;
        s = s * q - 1f / 6f;
        s = s * q * x + x;
        float even = (quarter & 2) == 0 ? c : -c;
        float odd = (quarter & 2) == 0 ? -s : s;
        return (quarter & 1) == 0 ? even : odd;
    }

    /// <summary>Whether x is a number, neither infinite nor NaN.</summary>
    public static bool IsFinite(float x) => (Interop.FloatAsInt(x) & 0x7F800000u) != 0x7F800000u;

    /// <summary>Whether x is NaN.</summary>
    public static bool IsNaN(float x) => (Interop.FloatAsInt(x) & 0x7FFFFFFFu) > 0x7F800000u;

    private static float ExpInRange(float x)
    {
        // x = n ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts, the first with so few bits that n times it is exact.
        float scaled = x * 1.44269504f;
        int n = (int)(scaled + (scaled < 0f ? -0.5f : 0.5f));
        float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;

        // Taylor's series: the first term left out is below 6e-9 there.
        float p = 1f / 5040f;
        p = p * r + 1f / 720f;
        p = p * r + 1f / 120f;
        p = p * r + 1f / 24f;
        p = p * r + 1f / 6f;
        p = p * r + 0.5f;
        p = p * r * r + r + 1f;

        // 2^n in two factors: 2^128 is no float.
        int half = n / 2;
        return p * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    private static float PowerOfTwo(int n) => Interop.IntAsFloat((uint)(n + 127) << 23);
}
