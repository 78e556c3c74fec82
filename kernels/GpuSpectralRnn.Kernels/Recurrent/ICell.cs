using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The mathematics of a recurrent cell at one unit of one batch row, for kernels that take one step a launch.</summary>
internal interface ICell
{
    /// <summary>G.</summary>
    static abstract int Gates { get; }

    /// <summary>The gradients of the recurrent product [T, B, G*H] that <see cref="Backward"/> leaves.</summary>
    static abstract ArrayView<float> ProductGradient(RecurrentViews views);

    /// <summary>A step, given the recurrent products of the unit's gates; nothing beyond the last row and unit.</summary>
    static abstract void Forward(RecurrentViews views, RecurrentStep step, int row, int unit, Float4 sums);

    /// <summary>A step backward, given the product that flows back to the unit; nothing beyond the last row and unit.</summary>
    static abstract void Backward(RecurrentViews views, RecurrentStep step, int row, int unit, float sum);
}

/// <summary>What the kernels of a step take.</summary>
internal struct StepArguments
{
    public RecurrentViews Views;
    public RecurrentStep Step;
}

/// <summary>Marks a kernel over cells.</summary>
internal sealed class CellKernelAttribute()
    : KernelAttribute(typeof(ElmanCell<Relu>), typeof(ElmanCell<HyperbolicTangent>), typeof(LstmCell), typeof(GruCell), typeof(PeepholeLstmCell));
