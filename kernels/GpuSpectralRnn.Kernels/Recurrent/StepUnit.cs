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

    /// <summary>Its element of a product [B, H].</summary>
    public readonly float Product(ArrayView<float> products, RecurrentStep step) => products[Row * step.Width + Unit];

    /// <summary>Its elements of a product [B, G*H], G of them 3 or 4.</summary>
    public readonly Quad Products(ArrayView<float> products, RecurrentStep step, int gates) =>
        Places.Of(Unit, step.Width, gates * step.Width, 1).Load(products, Row * gates * step.Width);
}
