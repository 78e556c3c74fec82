using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// How the lanes that share rows of a product add up what each has summed over its own columns. Every lane ends with the whole sums that it owns and
/// no others. A lane's number within those that share is its thread's number modulo how many there are.
/// </summary>
internal interface ILaneReduction
{
    /// <summary>
    /// Eight lanes share four rows, for two sequences: lane l ends with row l mod 4 of sequence l / 4. Where
    /// <see cref="PersistentTile.RowsAreTurned"/>, its sums are those of rows l mod 4 xor 0, 1, 2, 3.
    /// </summary>
    /// <param name="first">This lane's sums for the first sequence.</param>
    /// <param name="second">This lane's sums for the second sequence.</param>
    /// <param name="thread">The thread's number in its group.</param>
    /// <param name="shared">Shared memory.</param>
    /// <param name="scratch">Where in it [2, threads / 8, 9] quads are free, if the exchange goes through it.</param>
    float RowOfTwo(Float4 first, Float4 second, int thread, ArrayView<Float4> shared, int scratch);

    /// <summary>
    /// Sixteen lanes share four rows, for four sequences: lane l ends with row l mod 4 of sequence l / 4. Scratch [4, threads / 16, 17].
    /// </summary>
    float RowOfFour(Float4x4 sums, int thread, ArrayView<Float4> shared, int scratch);

    /// <summary>Four lanes share four rows, for four sequences: lane l ends with all rows of sequence l. Scratch [4, threads / 4, 5].</summary>
    Float4 AllOfFour(Float4x4 sums, int thread, ArrayView<Float4> shared, int scratch);
}

/// <summary>
/// Within warps, by butterflies: in each round a lane keeps half of its sums and hands the other half to the lane that keeps those. No shared memory
/// and no barrier; ILGPU has it for CUDA, not for OpenCL.
/// </summary>
internal readonly struct ByShuffles : ILaneReduction
{
    /// <inheritdoc/>
    public float RowOfTwo(Float4 first, Float4 second, int thread, ArrayView<Float4> shared, int scratch)
    {
        bool isSecond = (thread & 4) != 0;
        return Scatter(Keep(first, second, isSecond, 4));
    }

    /// <inheritdoc/>
    public float RowOfFour(Float4x4 sums, int thread, ArrayView<Float4> shared, int scratch)
    {
        bool isHigh = (thread & 8) != 0;
        Float4 even = Keep(sums.A, sums.C, isHigh, 8);
        Float4 odd = Keep(sums.B, sums.D, isHigh, 8);
        return Scatter(Keep(even, odd, (thread & 4) != 0, 4));
    }

    /// <inheritdoc/>
    public Float4 AllOfFour(Float4x4 sums, int thread, ArrayView<Float4> shared, int scratch)
    {
        bool isHigh = (thread & 2) != 0;
        Float4 even = Keep(sums.A, sums.C, isHigh, 2);
        Float4 odd = Keep(sums.B, sums.D, isHigh, 2);
        return Keep(even, odd, (thread & 1) != 0, 1);
    }

    // Of two quads keeps one, gives the other to the lane across and adds what that lane gives.
    private static Float4 Keep(Float4 low, Float4 high, bool keepsHigh, int mask)
    {
        Float4 sum = default;
        sum.X = Keep(low.X, high.X, keepsHigh, mask);
        sum.Y = Keep(low.Y, high.Y, keepsHigh, mask);
        sum.Z = Keep(low.Z, high.Z, keepsHigh, mask);
        sum.W = Keep(low.W, high.W, keepsHigh, mask);
        return sum;
    }

    private static float Keep(float low, float high, bool keepsHigh, int mask) =>
        (keepsHigh ? high : low) + Warp.ShuffleXor(keepsHigh ? low : high, mask);

    // Four lanes with the same four rows, turned so that each lane's own row comes first: what it keeps and what it gives need no selection.
    private static float Scatter(Float4 sums)
    {
        float own = sums.X + Warp.ShuffleXor(sums.Z, 2);
        float next = sums.Y + Warp.ShuffleXor(sums.W, 2);
        return own + Warp.ShuffleXor(next, 1);
    }
}

/// <summary>
/// Through shared memory with one barrier; for every device. The caller has another barrier before the next exchange. One quad is left free after
/// each lane's, so that the lanes of a warp read different banks.
/// </summary>
internal readonly struct ThroughShared : ILaneReduction
{
    /// <inheritdoc/>
    public float RowOfTwo(Float4 first, Float4 second, int thread, ArrayView<Float4> shared, int scratch)
    {
        int lane = thread & 7;
        int tile = thread >> 3;
        int tiles = Group.DimX >> 3;
        shared[scratch + tile * 9 + lane] = first;
        shared[scratch + (tiles + tile) * 9 + lane] = second;
        Group.Barrier();
        int own = 4 * (scratch + 9 * ((lane >> 2) * tiles + tile)) + (lane & 3);
        ArrayView<float> sums = shared.Cast<float>();
        return OfFour(sums, own) + OfFour(sums, own + 16);
    }

    /// <inheritdoc/>
    public float RowOfFour(Float4x4 sums, int thread, ArrayView<Float4> shared, int scratch)
    {
        int lane = thread & 15;
        int tile = thread >> 4;
        int tiles = Group.DimX >> 4;
        Put(shared, sums, scratch + tile * 17 + lane, tiles * 17);
        Group.Barrier();
        int own = 4 * (scratch + 17 * ((lane >> 2) * tiles + tile)) + (lane & 3);
        ArrayView<float> all = shared.Cast<float>();
        return (OfFour(all, own) + OfFour(all, own + 16)) + (OfFour(all, own + 32) + OfFour(all, own + 48));
    }

    /// <inheritdoc/>
    public Float4 AllOfFour(Float4x4 sums, int thread, ArrayView<Float4> shared, int scratch)
    {
        int lane = thread & 3;
        int tile = thread >> 2;
        int tiles = Group.DimX >> 2;
        Put(shared, sums, scratch + tile * 5 + lane, tiles * 5);
        Group.Barrier();
        int own = scratch + 5 * (lane * tiles + tile);
        Float4 a = shared[own];
        Float4 b = shared[own + 1];
        Float4 c = shared[own + 2];
        Float4 d = shared[own + 3];
        Float4 sum = default;
        sum.X = (a.X + b.X) + (c.X + d.X);
        sum.Y = (a.Y + b.Y) + (c.Y + d.Y);
        sum.Z = (a.Z + b.Z) + (c.Z + d.Z);
        sum.W = (a.W + b.W) + (c.W + d.W);
        return sum;
    }

    private static void Put(ArrayView<Float4> shared, Float4x4 sums, int at, int step)
    {
        shared[at] = sums.A;
        shared[at + step] = sums.B;
        shared[at + 2 * step] = sums.C;
        shared[at + 3 * step] = sums.D;
    }

    // One row of four lanes.
    private static float OfFour(ArrayView<float> sums, int at) => (sums[at] + sums[at + 4]) + (sums[at + 8] + sums[at + 12]);
}
