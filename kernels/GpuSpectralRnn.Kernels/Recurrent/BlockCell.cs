using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// As <see cref="PlainCell{TCell}"/> with products that skip the blocks of W_hh that are zero, forward and backward, whoever made them. Which these
/// are is found anew for each pass, on the device: masks come and go in training.
/// </summary>
internal sealed class BlockCell<TCell>(KernelLoader loader, Gemm gemm) : PlainCell<TCell>(loader, gemm)
    where TCell : ICell
{
    private readonly BlockProduct product = new(loader);
    private ArrayView<int> blocks; // of the pass that is queued

    /// <summary>All its launches depend on nothing but the operands.</summary>
    public override bool IsReplayable => true;

    /// <inheritdoc/>
    public override int ArrangedCount(int batch, int width) => base.ArrangedCount(batch, width) + ListCount(width);

    /// <inheritdoc/>
    protected override void Prepare(AcceleratorStream stream, in RecurrentOperands o, ArrayView<float> weights, int terms, int outputs)
    {
        blocks = o.Arranged.SubView(base.ArrangedCount(o.Walk.Batch, o.Walk.Width), ListCount(o.Walk.Width)).Cast<int>();
        product.Find(stream, weights, blocks, terms, outputs);
    }

    /// <inheritdoc/>
    protected override void Multiply(AcceleratorStream stream, in RecurrentWalk walk, ArrayView<float> left, in StepArguments a, int terms,
        int outputs) =>
        product.Run(stream, left, a.Views.Weights, blocks, a.Views.StepProducts, walk.Batch, terms, outputs, a.Step.Summed);

    // Room for the longer of the lists of both ways.
    private static int ListCount(int width) =>
        Math.Max(BlockProduct.ListCount(width, TCell.Gates * width), BlockProduct.ListCount(TCell.Gates * width, width));
}
