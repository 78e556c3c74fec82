namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The hard-concrete gate of Louizos, Welling, Kingma, "Learning sparse neural networks through L0 regularization" (ICLR 2018), of one parameter
/// log alpha: docs/method.md, section 14. Host and devices run the same code, in <see cref="FixedPoint"/>. A log alpha beyond -24..24 counts as
/// the nearer end; NaN stays NaN.
/// </summary>
public static class HardConcrete
{
    /// <summary>gamma, where the stretched logistic function begins.</summary>
    public const float Gamma = -0.1f;

    /// <summary>zeta, where it ends.</summary>
    public const float Zeta = 1.1f;

    /// <summary>beta, the temperature.</summary>
    public const float Beta = 2f / 3f;

    /// <summary>log 1e-2, the least log alpha that training keeps.</summary>
    public const float Lowest = -4.6051702f;

    /// <summary>log 1e2, the largest.</summary>
    public const float Highest = 4.6051702f;

    private const long Threshold = 10298881776; // log(-zeta / gamma) = log 11
    private const long Shift = 6865921184; // -beta log(-gamma / zeta)
    private const ulong Epsilon = 4295; // 1e-6 of 2^32
    private const float Far = 24f;
    private const long Whole = 1L << 30; // one in 30 digits, as Sigmoid gives it

    /// <summary>
    /// u of a gate times 2^32, uniform from eps to 1 - eps, eps = 1e-6: word <paramref name="index"/> of the stream (<see cref="Philox"/>), scaled.
    /// </summary>
    public static uint Uniform(ulong seed, ulong stream, ulong index)
    {
        ulong word = Philox.Word(seed, stream, index);
        return (uint)(word + Epsilon - ((word * (2 * Epsilon)) >> 32));
    }

    /// <summary>A sampled gate: sigmoid((log u - log(1 - u) + log alpha) / beta), stretched and clipped.</summary>
    public static float Sampled(float logAlpha, uint uniform)
    {
        float gate = Clipped((3 * (FixedPoint.Logit(uniform) + Read(logAlpha))) >> 1); // no division: ILGPU makes shifts of some, which round down
        return Elementary.IsNaN(logAlpha) ? logAlpha : gate;
    }

    /// <summary>The gate of tests: sigmoid(log alpha), stretched and clipped.</summary>
    public static float Tested(float logAlpha)
    {
        float gate = Clipped(Read(logAlpha));
        return Elementary.IsNaN(logAlpha) ? logAlpha : gate;
    }

    /// <summary>
    /// dL / d log alpha of a sampled gate, from the gate and dL/dz: dL/dz (z - gamma) (zeta - z) / (beta (zeta - gamma)); 0 where the gate was clipped,
    /// whatever its gradient.
    /// </summary>
    public static float Back(float gate, float gradient)
    {
        float slope = (gate - Gamma) * (Zeta - gate) * (1f / (Beta * (Zeta - Gamma)));
        float flows = gradient * slope;
        return gate > 0f && gate < 1f ? flows : 0f;
    }

    /// <summary>p, the probability that a sampled gate is not zero: sigmoid(log alpha - beta log(-gamma / zeta)).</summary>
    public static float Open(float logAlpha)
    {
        float probability = Number(FixedPoint.Sigmoid(Read(logAlpha) + Shift));
        return Elementary.IsNaN(logAlpha) ? logAlpha : probability;
    }

    /// <summary>dp / d log alpha = p (1 - p).</summary>
    public static float OpenSlope(float logAlpha)
    {
        long p = FixedPoint.Sigmoid(Read(logAlpha) + Shift);
        float slope = Number((p * (Whole - p)) >> 30);
        return Elementary.IsNaN(logAlpha) ? logAlpha : slope;
    }

    /// <summary>log alpha, or the end of log 1e-2..log 1e2 that it lies beyond.</summary>
    public static float Clamped(float logAlpha) => logAlpha < Lowest ? Lowest : logAlpha > Highest ? Highest : logAlpha;

    // clip(sigmoid(x) (zeta - gamma) + gamma, 0, 1), exactly 0 or 1 from the thresholds on and nowhere between, where a float might round to it
    private static float Clipped(long x) => x <= -Threshold ? 0f : x >= Threshold ? 1f : Between(x);

    private static float Between(long x)
    {
        long gate = (12 * FixedPoint.Sigmoid(x) - Whole) / 10; // above -1: which way it rounds makes no difference
        return Number(gate < 1 ? 1 : gate > Whole - 64 ? Whole - 64 : gate); // 1 - 2^-24 is the float below 1
    }

    private static long Read(float logAlpha) => FixedPoint.From(logAlpha < -Far ? -Far : logAlpha > Far ? Far : logAlpha);

    private static float Number(long digits) => digits * (1f / 1073741824f);
}
