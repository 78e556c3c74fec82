using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>y[i] = a[i] b[i]; y may be a or b.</summary>
public readonly struct ElementProduct(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => y[element] = a[element] * b[element];
}

/// <summary>
/// Backward of <see cref="ElementProduct"/>: aGradient[i] = d[i] b[i] and bGradient[i] = d[i] a[i], those that are wanted; they may be what is read.
/// </summary>
public readonly struct ElementProductBackward(
    ArrayView<float> a,
    ArrayView<float> b,
    ArrayView<float> d, // the output's gradient
    ArrayView<float>? aGradient,
    ArrayView<float>? bGradient)
    : IElementKernel
{
    private readonly ArrayView<float> first = aGradient ?? default;
    private readonly ArrayView<float> second = bGradient ?? default;
    private readonly int wantsFirst = aGradient is null ? 0 : 1;
    private readonly int wantsSecond = bGradient is null ? 0 : 1;

    /// <inheritdoc/>
    public void Run(int element)
    {
        float slope = d[element];
        float left = a[element];
        float right = b[element];
        if (wantsFirst != 0) first[element] = slope * right;
        if (wantsSecond != 0) second[element] = slope * left;
    }
}
