using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elman's recurrence (<see cref="Elman"/>), one launch a step, with as many threads as a graphics processor wants: <see cref="StepSlices"/>.
/// </summary>
public static class SlicedElman
{
    /// <summary>Loads the kernels of one nonlinearity.</summary>
    public static RecurrentCell Load<TActivation>(KernelLoader loader)
        where TActivation : unmanaged, IActivation => StepwiseCell.Sliced(loader, gates: 1, ForwardStep<TActivation>, BackwardStep<TActivation>);

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent), GroupSize = StepSlices.Threads)]
    internal static void ForwardStep<TActivation>(RecurrentViews views, RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int across = (step.Width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, views.States, step.Before, step.Width, views.Weights, step.Width, row, Places.Of(column, across, step.Width, 1));
        int unit = column + own.Slice % 4 * across;
        Elman.Forward<TActivation>(views, step, row + own.Slice / 4, unit, own.Element(shared));
    }

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent), GroupSize = StepSlices.Threads)]
    internal static void BackwardStep<TActivation>(RecurrentViews views, RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int across = (step.Width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, views.Gates, step.Following, step.Width, views.Weights, step.Width, row, Places.Of(column, across, step.Width, 1));
        int unit = column + own.Slice % 4 * across;
        Elman.Backward<TActivation>(views, step, row + own.Slice / 4, unit, own.Element(shared));
    }
}
