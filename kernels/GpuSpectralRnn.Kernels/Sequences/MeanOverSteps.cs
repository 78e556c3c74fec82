using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The mean of each sequence over its valid steps, mean[b, j] = (1/L_b) sum_{t below L_b} x[t, b, j]; elements B H.</summary>
public readonly struct MeanOverSteps(
    ArrayView<float> x, // [T, B, H]
    ArrayView<float> mean, // [B, H]
    ArrayView<int>? lengths, // [B], or null for T
    StepExtents e)
    : IElementKernel
{
    private readonly ArrayView<int> valid = lengths ?? default;
    private readonly int hasLengths = lengths is null ? 0 : 1;

    /// <inheritdoc/>
    public void Run(int element)
    {
        int steps = e.Steps;
        if (hasLengths != 0) steps = valid[element / e.Hidden];
        float sum = 0f;
        for (int t = 0; t < steps; t++) sum += x[t * e.Count + element];
        mean[element] = steps > 0 ? sum / steps : 0f;
    }
}

/// <summary>Backward of <see cref="MeanOverSteps"/>: gradient[t, b, j] = meanGradient[b, j] / L_b, zero beyond the length; elements T B H.</summary>
public readonly struct MeanOverStepsBackward(
    ArrayView<float> meanGradient, // [B, H]
    ArrayView<float> gradient, // [T, B, H]
    ArrayView<int>? lengths, // [B], or null for T
    StepExtents e)
    : IElementKernel
{
    private readonly ArrayView<int> valid = lengths ?? default;
    private readonly int hasLengths = lengths is null ? 0 : 1;

    /// <inheritdoc/>
    public void Run(int element)
    {
        int column = element % e.Count;
        int steps = e.Steps;
        if (hasLengths != 0) steps = valid[column / e.Hidden];
        gradient[element] = element / e.Count < steps ? meanGradient[column] / steps : 0f;
    }
}

/// <summary>Extents of a sequence [T, B, H] and one step of it [B, H].</summary>
public readonly struct StepExtents((int T, int B, int H) extents)
{
    /// <summary>T.</summary>
    public readonly int Steps = extents.T;

    /// <summary>B H.</summary>
    public readonly int Count = extents.B * extents.H;

    /// <summary>H.</summary>
    public readonly int Hidden = extents.H;
}
