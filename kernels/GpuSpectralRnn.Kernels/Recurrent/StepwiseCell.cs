using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>A recurrent cell that takes its steps one by one.</summary>
internal sealed class StepwiseCell : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly int gates;
    private readonly int productsPerRow;
    private readonly StepLauncher forwardStep;
    private readonly StepLauncher backwardStep;

    /// <summary>Computes a step; <paramref name="products"/> is room for [B, G*H].</summary>
    private delegate void StepLauncher(
        AcceleratorStream stream, in RecurrentWalk walk, in RecurrentViews views, ArrayView<float> products, RecurrentStep step);

    private delegate void UnitsLauncher(
        AcceleratorStream stream, KernelConfig groups, ArrayView<float> products, RecurrentViews views, RecurrentStep step);

    private StepwiseCell(KernelLoader loader, int gates, int productsPerRow, StepLauncher forwardStep, StepLauncher backwardStep)
    {
        transpose = new Transpose(loader);
        this.gates = gates;
        this.productsPerRow = productsPerRow;
        this.forwardStep = forwardStep;
        this.backwardStep = backwardStep;
    }

    /// <summary>A step is a product, then a launch of a thread for each unit (<see cref="StepUnit"/>).</summary>
    public static StepwiseCell Plain(
        KernelLoader loader,
        Gemm gemm,
        int gates,
        Action<ArrayView<float>, RecurrentViews, RecurrentStep> forward,
        Action<ArrayView<float>, RecurrentViews, RecurrentStep> backward)
    {
        var runForward = loader.LoadGrouped<UnitsLauncher>(forward, out int threads);
        var runBackward = loader.LoadGrouped<UnitsLauncher>(backward, out threads);
        return new StepwiseCell(loader, gates, productsPerRow: gates, Forward, Backward);

        void Forward(AcceleratorStream stream, in RecurrentWalk walk, in RecurrentViews views, ArrayView<float> products, RecurrentStep step)
        {
            (int b, int h) = (walk.Batch, walk.Width);
            ArrayView<float> before = views.States.SubView(step.Before * b * h, b * h); // [B, H]
            gemm.Run(stream, before, views.Weights, products, b, gates * h, step.Summed, false, false, 1f, 0f);
            runForward(stream, new KernelConfig(StepUnit.Groups(walk, threads), threads), products, views, step);
        }

        void Backward(AcceleratorStream stream, in RecurrentWalk walk, in RecurrentViews views, ArrayView<float> products, RecurrentStep step)
        {
            (int b, int h) = (walk.Batch, walk.Width);
            ArrayView<float> gradients = views.ProductGradient.Length == views.Gates.Length ? views.ProductGradient : views.Gates; // [T, B, G*H]
            ArrayView<float> following = gradients.SubView(step.Following * b * gates * h, b * gates * h);
            gemm.Run(stream, following, views.Weights, products, b, h, step.Summed, false, false, 1f, 0f);
            runBackward(stream, new KernelConfig(StepUnit.Groups(walk, threads), threads), products, views, step);
        }
    }

    /// <summary>
    /// A step is a launch in which sixteen threads share a tile of 4 batch rows and 4 units, forward in gated cells one: <see cref="StepSlices"/>.
    /// </summary>
    public static StepwiseCell Sliced(
        KernelLoader loader, int gates, Action<RecurrentViews, RecurrentStep> forward, Action<RecurrentViews, RecurrentStep> backward)
    {
        return new StepwiseCell(loader, gates, productsPerRow: 0, Launcher(forward, unitsPerTile: gates == 1 ? 4 : 1), Launcher(backward, unitsPerTile: 4));

        StepLauncher Launcher(Action<RecurrentViews, RecurrentStep> kernel, int unitsPerTile)
        {
            var run = loader.LoadGrouped<Action<AcceleratorStream, KernelConfig, RecurrentViews, RecurrentStep>>(kernel);
            return (AcceleratorStream stream, in RecurrentWalk walk, in RecurrentViews views, ArrayView<float> _, RecurrentStep step) =>
            {
                int tiles = (walk.Batch + 3) / 4 * ((walk.Width + unitsPerTile - 1) / unitsPerTile);
                run(stream, new KernelConfig(StepSlices.Groups(tiles), StepSlices.Threads), views, step);
            };
        }
    }

    /// <summary>Only where a step is one launch: products take memory as they need it.</summary>
    public override bool IsReplayable => productsPerRow == 0;

    /// <inheritdoc/>
    public override int ArrangedCount(int batch, int width) => gates * width * width + productsPerRow * batch * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        RecurrentWalk walk = o.Walk;
        transpose.Run(stream, o.Views.Weights, o.Arranged, gates * walk.Width, walk.Width);
        RecurrentViews views = o.Views with { Weights = o.Arranged };
        ArrayView<float> products = Products(o);
        for (int i = 0; i < walk.Steps; i++) forwardStep(stream, walk, views, products, walk.Forward(i, o.StartsAtZero));
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        RecurrentWalk walk = o.Walk;
        ArrayView<float> products = Products(o);
        for (int i = walk.Steps - 1; i >= 0; i--) backwardStep(stream, walk, o.Views, products, walk.Backward(i, gates, o.GradientFrom));
    }

    // Behind the weights.
    private ArrayView<float> Products(in RecurrentOperands o)
    {
        int count = productsPerRow * o.Walk.Batch * o.Walk.Width;
        return count == 0 ? o.Arranged : o.Arranged.SubView(gates * o.Walk.Width * o.Walk.Width, count);
    }
}
