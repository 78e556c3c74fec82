using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Numbers of steps as rows, rows[b, t] = steps[t, b], or <see cref="Masked"/> for t of L_b or more; elements T B.</summary>
public readonly struct StepRows(
    ArrayView<float> steps, // [T, B]
    ArrayView<float> rows, // [B, T]
    StepLengths lengths)
    : IElementKernel
{
    /// <summary>
    /// The logit of a step that is not there: its share is 0 exactly beside any usual logit, and its logarithm stays a number, unlike with minus
    /// infinity.
    /// </summary>
    public const float Masked = -1e30f;

    /// <inheritdoc/>
    public void Run(int element)
    {
        int step = element / lengths.Batch;
        int sequence = element - step * lengths.Batch;
        float value = Masked;
        if (step < lengths.Of(sequence)) value = steps[element];
        rows[sequence * lengths.Steps + step] = value;
    }
}

/// <summary>Backward of <see cref="StepRows"/>: steps[t, b] = rows[b, t], or 0 for t of L_b or more; elements T B.</summary>
public readonly struct StepRowsBackward(
    ArrayView<float> steps, // [T, B]
    ArrayView<float> rows, // [B, T]
    StepLengths lengths)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int step = element / lengths.Batch;
        int sequence = element - step * lengths.Batch;
        float value = 0f;
        if (step < lengths.Of(sequence)) value = rows[sequence * lengths.Steps + step];
        steps[element] = value;
    }
}
