using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The last valid step of each sequence, last[b, j] = x[L_b - 1, b, j], or 0 where L_b is 0; elements B H.</summary>
public readonly struct LastSteps(
    ArrayView<float> x, // [T, B, H]
    ArrayView<float> last, // [B, stride]
    ArrayView<int> lengths, // [B]
    StepExtents e,
    int stride)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int row = element / e.Hidden;
        int length = lengths[row];
        float value = 0f;
        if (length > 0) value = x[(length - 1) * e.Count + element];
        last[row * stride + element - row * e.Hidden] = value;
    }
}

/// <summary>Backward of <see cref="LastSteps"/>: gradient[t, b, j] = lastGradient[b, j] where t is L_b - 1, else 0; elements T B H.</summary>
public readonly struct LastStepsBackward(
    ArrayView<float> lastGradient, // [B, stride]
    ArrayView<float> gradient, // [T, B, H]
    ArrayView<int> lengths, // [B]
    StepExtents e,
    int stride)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int column = element % e.Count;
        int row = column / e.Hidden;
        float value = 0f;
        if (element / e.Count == lengths[row] - 1) value = lastGradient[row * stride + column - row * e.Hidden];
        gradient[element] = value;
    }
}
