using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>y[i] = s max(g[i], 0) + (1 - s) x[i] with s = sigmoid(t[i]); y may be what is read.</summary>
public readonly struct HighwayOutput(ArrayView<float> t, ArrayView<float> g, ArrayView<float> x, ArrayView<float> y) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float share = Elementary.Sigmoid(t[element]);
        float candidate = default(Relu).Apply(g[element]);
        y[element] = share * candidate + (1f - share) * x[element];
    }
}

/// <summary>
/// Backward of <see cref="HighwayOutput"/>: tGradient = d (max(g, 0) - x) s (1 - s), gGradient = d s where g is above 0, xGradient = d (1 - s), where
/// wanted; they may be what is read.
/// </summary>
public readonly struct HighwayGradients(
    ArrayView<float> t,
    ArrayView<float> g,
    ArrayView<float> x,
    ArrayView<float> d, // the output's gradient
    ArrayView<float> tGradient,
    ArrayView<float> gGradient,
    ArrayView<float>? xGradient)
    : IElementKernel
{
    private readonly ArrayView<float> input = xGradient ?? default;
    private readonly int wantsInput = xGradient is null ? 0 : 1;

    /// <inheritdoc/>
    public void Run(int element)
    {
        float share = Elementary.Sigmoid(t[element]);
        float candidate = default(Relu).Apply(g[element]);
        float difference = candidate - x[element];
        float slope = d[element];
        float let = slope * share;
        tGradient[element] = let * (1f - share) * difference;
        gGradient[element] = let * default(Relu).Slope(candidate);
        if (wantsInput != 0) input[element] = slope * (1f - share);
    }
}
