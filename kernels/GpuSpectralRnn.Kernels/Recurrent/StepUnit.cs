using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The unit of a batch row that a thread finishes, once a product has been computed for all of them. The threads of a group have neighbouring units
/// of one row.
/// </summary>
internal struct StepUnit
{
    /// <summary>Threads of a group, where the device grants so many.</summary>
    public const int Threads = 64;

    /// <summary>b.</summary>
    public int Row;

    /// <summary>Of H; beyond the last one in some groups.</summary>
    public int Unit;

    /// <summary>Groups for all units of all rows.</summary>
    public static int Groups(RecurrentWalk walk, int threads) => walk.Batch * ((walk.Width + threads - 1) / threads);

    /// <summary>The running thread's.</summary>
    public static StepUnit Own(RecurrentStep step)
    {
        int across = (step.Width + Group.DimX - 1) / Group.DimX;
        StepUnit own = default;
        own.Row = Grid.IdxX / across;
        own.Unit = Grid.IdxX % across * Group.DimX + Group.IdxX;
        return own;
    }

    /// <summary>A step forward.</summary>
    [CellKernel(GroupSize = Threads)]
    internal readonly struct Forward<TCell>(StepArguments a) : IGroupKernel, IKernelWith<Forward<TCell>, StepArguments>
        where TCell : ICell
    {
        public static Forward<TCell> With(in StepArguments arguments) => new(arguments);

        public void Run()
        {
            StepUnit own = Own(a.Step);
            int width = a.Step.Width;
            if (own.Unit >= width) return;
            QuadIndices blocks = QuadIndices.Create(own.Unit, width, TCell.Gates * width, 1);
            TCell.Forward(a.Views, a.Step, own.Row, own.Unit, blocks.Load(a.Views.StepProducts, own.Row * TCell.Gates * width));
        }
    }

    /// <summary>A step backward.</summary>
    [CellKernel(GroupSize = Threads)]
    internal readonly struct Backward<TCell>(StepArguments a) : IGroupKernel, IKernelWith<Backward<TCell>, StepArguments>
        where TCell : ICell
    {
        public static Backward<TCell> With(in StepArguments arguments) => new(arguments);

        public void Run()
        {
            StepUnit own = Own(a.Step);
            if (own.Unit < a.Step.Width)
                TCell.Backward(a.Views, a.Step, own.Row, own.Unit, a.Views.StepProducts[own.Row * a.Step.Width + own.Unit]);
        }
    }
}
