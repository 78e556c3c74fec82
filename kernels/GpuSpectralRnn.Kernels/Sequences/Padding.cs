using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Clears the steps of sequences beyond their lengths, x[t, b, j] = 0 for t of L_b or more; elements T B H.</summary>
public readonly struct ClearPadding(
    ArrayView<float> x, // [T, B, H]
    ArrayView<int> lengths, // [B]
    StepExtents e)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        if (element / e.Count >= lengths[element % e.Count / e.Hidden]) x[element] = 0f;
    }
}

/// <summary>Weighs the steps of sequences, weights[t, b] = stepWeights[t], or 0 for t of L_b or more; elements T B.</summary>
public readonly struct WeighSteps(
    ArrayView<float> stepWeights, // [T]
    ArrayView<float> weights, // [T, B]
    ArrayView<int> lengths, // [B]
    int batch) // B
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int step = element / batch;
        float weight = stepWeights[step];
        weights[element] = step < lengths[element % batch] ? weight : 0f;
    }
}
