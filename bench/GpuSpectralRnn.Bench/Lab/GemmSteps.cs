using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Bench.Lab;

/// <summary>
/// The product of square matrices, C = A B, from the plainest kernel on, one idea a step. Lab pieces: the orders are multiples of 64, and nothing is
/// transposed. The last steps of the lab are what the library uses, <see cref="Kernels.Gemm"/>, without and with tensor cores.
/// </summary>
internal static class GemmSteps
{
    /// <summary>Rows and columns of the tile that a group of 256 shares in step 2.</summary>
    public const int Tile = 16;

    /// <summary>Rows and columns of the block of C that a group of 256 computes in step 3.</summary>
    public const int Block = 64;

    /// <summary>Threads of a group in steps 2 and 3.</summary>
    public const int Threads = 256;

    /// <summary>Step 1: an item for every element; all of A's row and B's column come from memory.</summary>
    internal readonly struct Naive(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, int n) : IItemKernel
    {
        public void Run(int item)
        {
            int row = item / n;
            int column = item % n;
            float sum = 0f;
            for (int k = 0; k < n; k++) sum += a[row * n + k] * b[k * n + column];
            c[item] = sum;
        }
    }

    /// <summary>Step 2, shared tiles: a group reads 16 x 16 of both factors once and uses each number 16 times.</summary>
    [Kernel(GroupSize = Threads)]
    internal readonly struct SharedTiles(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, int n) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> left = SharedMemory.Allocate<float>(Tile * Tile); // [row, k]
            ArrayView<float> right = SharedMemory.Allocate<float>(Tile * Tile); // [k, column]
            int y = Group.IdxX / Tile;
            int x = Group.IdxX % Tile;
            int row = Grid.IdxX / (n / Tile) * Tile + y;
            int column = Grid.IdxX % (n / Tile) * Tile + x;
            float sum = 0f;
            for (int k = 0; k < n; k += Tile)
            {
                left[y * Tile + x] = a[row * n + k + x];
                right[y * Tile + x] = b[(k + y) * n + column];
                Group.Barrier();
                for (int d = 0; d < Tile; d++) sum += left[y * Tile + d] * right[d * Tile + x];
                Group.Barrier();
            }

            c[row * n + column] = sum;
        }
    }

    /// <summary>
    /// Step 3, registers: each thread computes 4 x 4 elements, 16 apart, so that eight numbers read from shared memory serve sixteen multiplications.
    /// </summary>
    [Kernel(GroupSize = Threads)]
    internal readonly struct RegisterTiles(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, int n) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> left = SharedMemory.Allocate<float>(Tile * (Block + 1)); // [k, row]
            ArrayView<float> right = SharedMemory.Allocate<float>(Tile * (Block + 1)); // [k, column]
            int thread = Group.IdxX;
            int y = thread / 16;
            int x = thread % 16;
            int firstRow = Grid.IdxX / (n / Block) * Block;
            int firstColumn = Grid.IdxX % (n / Block) * Block;
            Strip r0 = default;
            Strip r1 = default;
            Strip r2 = default;
            Strip r3 = default;
            for (int k = 0; k < n; k += Tile)
            {
                for (int i = 0; i < 4; i++)
                {
                    left[x * (Block + 1) + y + 16 * i] = a[(firstRow + y + 16 * i) * n + k + x];
                    right[(thread / Block + 4 * i) * (Block + 1) + thread % Block] = b[(k + thread / Block + 4 * i) * n + firstColumn + thread % Block];
                }

                Group.Barrier();
                for (int d = 0; d < Tile; d++)
                {
                    ArrayView<float> rows = left.SubView(d * (Block + 1) + y, 49);
                    ArrayView<float> columns = right.SubView(d * (Block + 1) + x, 49);
                    Strip of = new() { X = columns[0], Y = columns[16], Z = columns[32], W = columns[48] };
                    r0.Add(rows[0], of);
                    r1.Add(rows[16], of);
                    r2.Add(rows[32], of);
                    r3.Add(rows[48], of);
                }

                Group.Barrier();
            }

            int place = (firstRow + y) * n + firstColumn + x;
            r0.Store(c, place);
            r1.Store(c, place + 16 * n);
            r2.Store(c, place + 32 * n);
            r3.Store(c, place + 48 * n);
        }
    }

    /// <summary>Four elements of a row of C, 16 apart.</summary>
    internal struct Strip
    {
        public float X;
        public float Y;
        public float Z;
        public float W;

        public void Add(float s, Strip v)
        {
            X += s * v.X;
            Y += s * v.Y;
            Z += s * v.Z;
            W += s * v.W;
        }

        public readonly void Store(ArrayView<float> c, int place)
        {
            c[place] = X;
            c[place + 16] = Y;
            c[place + 32] = Z;
            c[place + 48] = W;
        }
    }
}
