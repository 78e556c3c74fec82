using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>The steps of sequences beyond their lengths: cleared, or weighed as zero.</summary>
public sealed class Padding(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<int>, StepExtents> clear =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<int>, StepExtents>>(ClearSteps);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents> weigh =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents>>(WeighSteps);

    /// <summary>x[t, b, j] = 0 for t of L_b or more; x [T, B, H], lengths [B].</summary>
    public void Clear(AcceleratorStream stream, ArrayView<float> x, ArrayView<int> lengths, StepExtents e)
    {
        if (e.Count == 0 || e.Steps == 0) return;
        e.Width = loader.WidthFor((long)e.Steps * e.Count);
        clear(stream, e.Width, x, lengths, e);
    }

    /// <summary>weights[t, b] = stepWeights[t], or 0 for t of L_b or more; weights [T, B], stepWeights [T], lengths [B].</summary>
    public void Weigh(AcceleratorStream stream, ArrayView<float> stepWeights, ArrayView<float> weights, ArrayView<int> lengths, StepExtents e)
    {
        if (e.Count == 0 || e.Steps == 0) return;
        e.Width = loader.WidthFor((long)e.Steps * e.Count);
        weigh(stream, e.Width, stepWeights, weights, lengths, e);
    }

    [KernelEntry]
    internal static void ClearSteps(
        Index1D index,
        ArrayView<float> x, // [T, B, H]
        ArrayView<int> lengths, // [B]
        StepExtents e)
    {
        for (int i = index; i < e.Steps * e.Count; i += e.Width)
            if (i / e.Count >= lengths[i % e.Count / e.Hidden]) x[i] = 0f;
    }

    [KernelEntry]
    internal static void WeighSteps(
        Index1D index,
        ArrayView<float> stepWeights, // [T]
        ArrayView<float> weights, // [T, B]
        ArrayView<int> lengths, // [B]
        StepExtents e)
    {
        for (int i = index; i < e.Steps * e.Count; i += e.Width)
        {
            int step = i / e.Count;
            float weight = stepWeights[step];
            weights[i] = step < lengths[i % e.Count] ? weight : 0f;
        }
    }
}
