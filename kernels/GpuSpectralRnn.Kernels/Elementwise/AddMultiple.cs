using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>y[i] += alpha number[0] x[i], or alpha number[0] where there is no x; x may be y.</summary>
public readonly struct AddMultiple(
    float alpha,
    ArrayView<float> number, // [1]
    ArrayView<float>? x, // [count]
    ArrayView<float> y) // [count]
    : IElementKernel
{
    private readonly ArrayView<float> terms = x ?? y;
    private readonly int hasTerms = x is null ? 0 : 1;

    /// <inheritdoc/>
    public void Run(int element)
    {
        float factor = alpha * number[0];
        float term = terms[element];
        y[element] += hasTerms == 0 ? factor : factor * term;
    }
}
