using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// A step's product by more threads than it has tiles of 4 x 4: sixteen threads share a tile, each sums every sixteenth term, and the sums meet in
/// shared memory, added always in the same order. A group has eight tiles; thread t has tile t mod 8 and slice t / 8, so that neighbouring threads
/// read neighbouring columns, and the slices of a warp neighbouring terms.
/// </summary>
internal struct StepSlices
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = Slices * Tiles;

    private const int Slices = 16;
    private const int Tiles = 8;

    /// <summary>The tile's number in the grid.</summary>
    public int Tile;

    /// <summary>Which of the terms.</summary>
    public int Slice;

    /// <summary>Groups for so many tiles.</summary>
    public static int Groups(int tiles) => (tiles + Tiles - 1) / Tiles;

    /// <summary>Memory for a group's sums.</summary>
    public static ArrayView<Float4> Allocate() => SharedMemory.Allocate<Float4>(4 * Slices * Tiles);

    /// <summary>The running thread's place.</summary>
    public static StepSlices Own()
    {
        StepSlices own = default;
        own.Tile = Grid.IdxX * Tiles + Group.IdxX % Tiles;
        own.Slice = Group.IdxX / Tiles;
        return own;
    }

    /// <summary>Sums this thread's terms of a step's product and lays them down; all threads of the group wait for each other.</summary>
    public readonly void Sum(
        ArrayView<Float4> shared, RecurrentStep step, ArrayView<float> left, int from, int extent, ArrayView<float> weights, int pitch, int row, QuadIndices columns)
    {
        ArrayView<float> factor = left.SubView(from * step.Batch * extent, step.Batch * extent);
        QuadIndices rows = QuadIndices.Create(row, 1, step.Batch, extent);
        RegisterTile tile = default;
        for (int k = Slice; k < step.Summed; k += Slices) tile.AddOuter(rows.Load(factor, k), columns.Load(weights, k * pitch));
        int place = Slice * Tiles + Tile % Tiles;
        shared[place] = tile.Row0;
        shared[place + Slices * Tiles] = tile.Row1;
        shared[place + 2 * Slices * Tiles] = tile.Row2;
        shared[place + 3 * Slices * Tiles] = tile.Row3;
        Group.Barrier();
    }

    /// <summary>The whole sum of one element of the tile, row <see cref="Slice"/> / 4, column <see cref="Slice"/> mod 4.</summary>
    public readonly float Element(ArrayView<Float4> shared)
    {
        ArrayView<float> sums = shared.Cast<float>();
        int place = 4 * (Slice / 4 * Slices * Tiles + Tile % Tiles) + Slice % 4;
        float sum = 0f;
        for (int i = 0; i < Slices; i++) sum += sums[place + 4 * Tiles * i];
        return sum;
    }

    /// <summary>The whole sums of one row of the tile, <see cref="Slice"/> mod 4.</summary>
    public readonly Float4 Row(ArrayView<Float4> shared)
    {
        int place = Slice % 4 * Slices * Tiles + Tile % Tiles;
        Float4 sum = default;
        for (int i = 0; i < Slices; i++) sum.Add(1f, shared[place + Tiles * i]);
        return sum;
    }

    /// <summary>
    /// A step forward. Of a gated cell a tile is 4 batch rows of one unit's gates, and four of its threads finish a row each; of an Elman cell it is
    /// as backward.
    /// </summary>
    [CellKernel(GroupSize = Threads)]
    internal readonly struct Forward<TCell>(StepArguments a) : IGroupKernel, IKernelWith<Forward<TCell>, StepArguments>
        where TCell : ICell
    {
        public static Forward<TCell> With(in StepArguments arguments) => new(arguments);

        public void Run()
        {
            if (TCell.Gates == 1)
            {
                OwnUnit unit = OwnUnit.Sum(a, a.Views.States, a.Step.Before, 1);
                TCell.Forward(a.Views, a.Step, unit.Row, unit.Unit, new Float4 { X = unit.Product });
                return;
            }

            ArrayView<Float4> shared = Allocate();
            StepSlices own = Own();
            int width = a.Step.Width;
            int row = own.Tile / width * 4;
            int unitOfGates = own.Tile % width;
            int pitch = TCell.Gates * width;
            own.Sum(shared, a.Step, a.Views.States, a.Step.Before, width, a.Views.Weights, pitch, row, QuadIndices.Create(unitOfGates, width, pitch, 1));
            if (own.Slice < 4) TCell.Forward(a.Views, a.Step, row + own.Slice, unitOfGates, own.Row(shared));
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
            OwnUnit unit = OwnUnit.Sum(a, TCell.ProductGradient(a.Views), a.Step.Following, TCell.Gates);
            TCell.Backward(a.Views, a.Step, unit.Row, unit.Unit, unit.Product);
        }
    }

    // A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.
    private struct OwnUnit
    {
        public int Row;
        public int Unit;
        public float Product;

        // The product of a step of the left factor, [B, blocks H], and the weights.
        public static OwnUnit Sum(StepArguments a, ArrayView<float> left, int from, int blocks)
        {
            ArrayView<Float4> shared = Allocate();
            StepSlices own = Own();
            int width = a.Step.Width;
            int across = (width + 3) / 4;
            int row = own.Tile / across * 4;
            int column = own.Tile % across;
            own.Sum(shared, a.Step, left, from, blocks * width, a.Views.Weights, width, row, QuadIndices.Create(column, across, width, 1));
            OwnUnit unit = default;
            unit.Row = row + own.Slice / 4;
            unit.Unit = column + own.Slice % 4 * across;
            unit.Product = own.Element(shared);
            return unit;
        }
    }
}
