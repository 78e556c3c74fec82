namespace GpuSpectralRnn.Kernels;

/// <summary>A nonlinearity, with its derivative as a function of the output.</summary>
public interface IActivation
{
    /// <summary>s(x).</summary>
    float Apply(float x);

    /// <summary>s'(x), given h = s(x).</summary>
    float Slope(float h);
}

/// <summary>max(x, 0); NaN stays NaN.</summary>
public readonly struct Relu : IActivation
{
    /// <inheritdoc/>
    public float Apply(float x) => x < 0f ? 0f : x;

    /// <inheritdoc/>
    public float Slope(float h) => h > 0f ? 1f : 0f;
}

/// <summary>The hyperbolic tangent.</summary>
public readonly struct HyperbolicTangent : IActivation
{
    /// <inheritdoc/>
    public float Apply(float x) => Elementary.Tanh(x);

    /// <inheritdoc/>
    public float Slope(float h) => 1f - h * h;
}

/// <summary>The logistic function.</summary>
public readonly struct Logistic : IActivation
{
    /// <inheritdoc/>
    public float Apply(float x) => Elementary.Sigmoid(x);

    /// <inheritdoc/>
    public float Slope(float h) => h * (1f - h);
}
