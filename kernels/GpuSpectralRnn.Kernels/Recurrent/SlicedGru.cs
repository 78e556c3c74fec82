using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The GRU (<see cref="Gru"/>), one launch a step, with as many threads as a graphics processor wants: <see cref="StepSlices"/>.</summary>
public static class SlicedGru
{
    /// <summary>Loads the kernels.</summary>
    public static RecurrentCell Load(KernelLoader loader) => StepwiseCell.Sliced(loader, gates: 3, ForwardStep, BackwardStep);

    /// <summary>A tile is 4 batch rows of one unit's gates; four of its threads finish a row each.</summary>
    [KernelEntry(GroupSize = StepSlices.Threads)]
    internal static void ForwardStep(RecurrentViews views, RecurrentStep step)
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int width = step.Width;
        int row = own.Tile / width * 4;
        int unit = own.Tile % width;
        own.Sum(shared, step, views.States, step.Before, width, views.Weights, 3 * width, row, Places.Of(unit, width, 3 * width, 1));
        if (own.Slice < 4) Gru.Forward(views, step, row + own.Slice, unit, own.Row(shared));
    }

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry(GroupSize = StepSlices.Threads)]
    internal static void BackwardStep(RecurrentViews views, RecurrentStep step)
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int width = step.Width;
        int across = (width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, views.ProductGradient, step.Following, 3 * width, views.Weights, width, row, Places.Of(column, across, width, 1));
        int unit = column + own.Slice % 4 * across;
        Gru.Backward(views, step, row + own.Slice / 4, unit, own.Element(shared));
    }
}
