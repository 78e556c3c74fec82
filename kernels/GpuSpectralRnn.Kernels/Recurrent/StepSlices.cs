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
    public static ArrayView<Quad> Allocate() => SharedMemory.Allocate<Quad>(4 * Slices * Tiles);

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
        ArrayView<Quad> shared, RecurrentStep step, ArrayView<float> left, int from, int extent, ArrayView<float> weights, int pitch, int row, Places columns)
    {
        ArrayView<float> factor = left.SubView(from * step.Batch * extent, step.Batch * extent);
        Places rows = Places.Of(row, 1, step.Batch, extent);
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
    public readonly float Element(ArrayView<Quad> shared)
    {
        ArrayView<float> sums = shared.Cast<float>();
        int place = 4 * (Slice / 4 * Slices * Tiles + Tile % Tiles) + Slice % 4;
        float sum = 0f;
        for (int i = 0; i < Slices; i++) sum += sums[place + 4 * Tiles * i];
        return sum;
    }

    /// <summary>The whole sums of one row of the tile, <see cref="Slice"/> mod 4.</summary>
    public readonly Quad Row(ArrayView<Quad> shared)
    {
        int place = Slice % 4 * Slices * Tiles + Tile % Tiles;
        Quad sum = default;
        for (int i = 0; i < Slices; i++) sum.Add(1f, shared[place + Tiles * i]);
        return sum;
    }
}
