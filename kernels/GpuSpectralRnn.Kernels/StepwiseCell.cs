using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>A recurrent cell that takes one launch a step.</summary>
internal sealed class StepwiseCell : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly int gates;
    private readonly StepLauncher forwardStep;
    private readonly StepLauncher backwardStep;

    /// <summary>Computes a step that is cut into so many tiles.</summary>
    private delegate void StepLauncher(AcceleratorStream stream, int tiles, in RecurrentViews views, RecurrentStep step);

    private StepwiseCell(KernelLoader loader, int gates, StepLauncher forwardStep, StepLauncher backwardStep)
    {
        transpose = new Transpose(loader);
        this.gates = gates;
        this.forwardStep = forwardStep;
        this.backwardStep = backwardStep;
    }

    /// <summary>
    /// Loads kernels with an item for each tile of 4 batch rows and 4 units, forward in gated cells one unit. Small groups: a step has few items, and they should spread over the
    /// whole device.
    /// </summary>
    public static StepwiseCell Plain(
        KernelLoader loader, int gates, Action<Index1D, RecurrentViews, RecurrentStep> forward, Action<Index1D, RecurrentViews, RecurrentStep> backward)
    {
        return new StepwiseCell(loader, gates, Launcher(forward), Launcher(backward));

        StepLauncher Launcher(Action<Index1D, RecurrentViews, RecurrentStep> kernel)
        {
            var run = loader.Load<Action<AcceleratorStream, Index1D, RecurrentViews, RecurrentStep>>(kernel, 32);
            return (AcceleratorStream stream, int tiles, in RecurrentViews views, RecurrentStep step) => run(stream, tiles, views, step);
        }
    }

    /// <summary>Loads kernels that share such a tile among sixteen threads: <see cref="StepSlices"/>.</summary>
    public static StepwiseCell Sliced(
        KernelLoader loader, int gates, Action<RecurrentViews, RecurrentStep> forward, Action<RecurrentViews, RecurrentStep> backward)
    {
        return new StepwiseCell(loader, gates, Launcher(forward), Launcher(backward));

        StepLauncher Launcher(Action<RecurrentViews, RecurrentStep> kernel)
        {
            var run = loader.LoadGrouped<Action<AcceleratorStream, KernelConfig, RecurrentViews, RecurrentStep>>(kernel);
            return (AcceleratorStream stream, int tiles, in RecurrentViews views, RecurrentStep step) =>
                run(stream, new KernelConfig(StepSlices.Groups(tiles), StepSlices.Threads), views, step);
        }
    }

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => gates * width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        RecurrentWalk walk = o.Walk;
        transpose.Run(stream, o.Views.Weights, o.Arranged, gates * walk.Width, walk.Width);
        RecurrentViews views = o.Views with { Weights = o.Arranged };
        int tiles = gates == 1 ? Tiles(walk) : (walk.Batch + 3) / 4 * walk.Width;
        for (int i = 0; i < walk.Steps; i++) forwardStep(stream, tiles, views, walk.Forward(i, o.StartsAtZero));
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        RecurrentWalk walk = o.Walk;
        for (int i = walk.Steps - 1; i >= 0; i--) backwardStep(stream, Tiles(walk), o.Views, walk.Backward(i, gates, o.GradientFrom));
    }

    private static int Tiles(RecurrentWalk walk) => (walk.Batch + 3) / 4 * ((walk.Width + 3) / 4);
}
