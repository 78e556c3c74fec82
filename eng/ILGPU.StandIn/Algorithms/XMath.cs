namespace ILGPU.Algorithms;

/// <summary>Functions that kernels may call.</summary>
public static class XMath
{
    /// <summary>e^x.</summary>
    public static float Exp(float value) => MathF.Exp(value);

    /// <summary>Natural logarithm.</summary>
    public static float Log(float value) => MathF.Log(value);

    /// <summary>Hyperbolic tangent.</summary>
    public static float Tanh(float value) => MathF.Tanh(value);

    /// <summary>Square root.</summary>
    public static float Sqrt(float value) => MathF.Sqrt(value);

    /// <summary>1 / square root.</summary>
    public static float Rsqrt(float value) => 1f / MathF.Sqrt(value);

    /// <summary>Sine.</summary>
    public static float Sin(float value) => MathF.Sin(value);

    /// <summary>Cosine.</summary>
    public static float Cos(float value) => MathF.Cos(value);

    /// <summary>Absolute value.</summary>
    public static float Abs(float value) => MathF.Abs(value);

    /// <summary>The larger.</summary>
    public static float Max(float first, float second) => MathF.Max(first, second);

    /// <summary>The smaller.</summary>
    public static float Min(float first, float second) => MathF.Min(first, second);

    /// <summary>The larger.</summary>
    public static int Max(int first, int second) => Math.Max(first, second);

    /// <summary>The smaller.</summary>
    public static int Min(int first, int second) => Math.Min(first, second);

    /// <summary>Whether it is neither NaN nor infinite.</summary>
    public static bool IsFinite(float value) => float.IsFinite(value);

    /// <summary>Whether it is NaN.</summary>
    public static bool IsNaN(float value) => float.IsNaN(value);

    /// <summary>e^x.</summary>
    public static double Exp(double value) => Math.Exp(value);

    /// <summary>Natural logarithm.</summary>
    public static double Log(double value) => Math.Log(value);

    /// <summary>Square root.</summary>
    public static double Sqrt(double value) => Math.Sqrt(value);
}

/// <summary>Switches the functions on.</summary>
public static class AlgorithmContext
{
    /// <summary>Switches the functions on; here they always are.</summary>
    public static Context.Builder EnableAlgorithms(this Context.Builder builder) => builder;
}
