using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Packs operands in the order in which <see cref="GemmKernel"/> reads them.</summary>
internal static unsafe class GemmPacking
{
    /// <summary>
    /// Packs columns 0..columns-1 of op(B) [k, columns] as panels, [panel][k][PanelWidth], times alpha. Element (l, j) stands at b[l stride + j],
    /// or, transposed, at b[j stride + l]. Panels are <paramref name="panelStride"/> floats apart.
    /// </summary>
    public static void PackPanels(float* b, nint stride, bool isTransposed, nint k, nint columns, float alpha, float* panels, nint panelStride)
    {
        nint width = GemmKernel.PanelWidth;
        for (nint first = 0; first < columns; first += width, panels += panelStride)
        {
            nint valid = Math.Min(width, columns - first);
            if (valid < width) new Span<float>(panels, checked((int)(k * width))).Clear();
            PackColumns(b + first * (isTransposed ? stride : 1), stride, isTransposed, k, valid, alpha, panels);
        }
    }

    /// <summary>Packs columns of op(B) [k, columns] to places side by side of a panel, the first of which is given.</summary>
    public static void PackColumns(float* b, nint stride, bool isTransposed, nint k, nint columns, float alpha, float* panel)
    {
        if (isTransposed) PackTransposed(b, stride, k, columns, alpha, panel, GemmKernel.PanelWidth);
        else PackStraight(b, stride, k, columns, alpha, panel, GemmKernel.PanelWidth);
    }

    /// <summary>
    /// Packs A^T's rows, that is columns 0..rows-1 of a [k, ...] with row stride <paramref name="stride"/>, as tiles: [tile][k][height], heights as
    /// <see cref="GemmKernel.TileHeight"/> gives them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackTiles(float* a, nint stride, nint k, nint rows, float* tiles)
    {
        // Rows of A in their order, across all whole tiles: a tile at a time would come back to every page of A for half a cache line.
        nint largest = GemmKernel.LargestTile;
        nint whole = 0;
        while (GemmKernel.TileHeight(rows - whole) == largest) whole += largest;
        for (nint l = 0; l < k; l++)
        {
            float* source = a + l * stride;
            float* target = tiles + l * largest;
            for (nint row = 0; row < whole; row += largest)
            {
                if (largest == 8) Vector256.Store(Vector256.Load(source + row), target + row * k);
                else Vector128.Store(Vector128.Load(source + row), target + row * k);
            }
        }

        for (nint row = whole; row < rows;)
        {
            int height = GemmKernel.TileHeight(rows - row);
            PackTile(a + row, stride, k, height, tiles + row * k);
            row += height;
        }
    }

    /// <summary>Packs one tile of <paramref name="height"/> columns, 10, 8, 5, 4, 3, 2 or 1: [k][height].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackTile(float* a, nint stride, nint k, int height, float* tile)
    {
        if (height == 10)
        {
            for (; k > 0; k--, a += stride, tile += 10)
            {
                Vector256.Store(Vector256.Load(a), tile);
                Vector64.Store(Vector64.Load(a + 8), tile + 8);
            }
        }
        else if (height == 8)
        {
            for (; k > 0; k--, a += stride, tile += 8) Vector256.Store(Vector256.Load(a), tile);
        }
        else if (height == 5)
        {
            for (; k > 0; k--, a += stride, tile += 5)
            {
                Vector128.Store(Vector128.Load(a), tile);
                tile[4] = a[4];
            }
        }
        else if (height == 4)
        {
            for (; k > 0; k--, a += stride, tile += 4) Vector128.Store(Vector128.Load(a), tile);
        }
        else if (height == 3)
        {
            for (; k > 0; k--, a += stride, tile += 3)
            {
                Vector64.Store(Vector64.Load(a), tile);
                tile[2] = a[2];
            }
        }
        else if (height == 2)
        {
            for (; k > 0; k--, a += stride, tile += 2) Vector64.Store(Vector64.Load(a), tile);
        }
        else
        {
            for (; k > 0; k--, a += stride, tile++) *tile = *a;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackStraight(float* b, nint stride, nint k, nint columns, float alpha, float* panel, nint width)
    {
        Vector<float> factor = new(alpha);
        nint whole = columns - columns % Vector<float>.Count;
        for (; k > 0; k--, b += stride, panel += width)
        {
            for (nint j = 0; j < whole; j += Vector<float>.Count) Vector.Store(factor * Vector.Load(b + j), panel + j);
            for (nint j = whole; j < columns; j++) panel[j] = alpha * b[j];
        }
    }

    // Eight columns at a time where the processor can turn them over, else four, so that stores are not of single numbers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackTransposed(float* b, nint stride, nint k, nint columns, float alpha, float* panel, nint width)
    {
        nint j = 0;
        if (Avx.IsSupported)
        {
            for (; j + 8 <= columns; j += 8) PackEight(b + j * stride, stride, k, alpha, panel + j, width);
        }

        Vector128<float> factor = Vector128.Create(alpha);
        for (; j + 4 <= columns; j += 4)
        {
            float* first = b + j * stride;
            float* third = first + 2 * stride;
            float* target = panel + j;
            for (nint l = 0; l < k; l++, target += width)
                Vector128.Store(factor * Vector128.Create(first[l], first[stride + l], third[l], third[stride + l]), target);
        }

        for (; j < columns; j++)
        {
            for (nint l = 0; l < k; l++) panel[l * width + j] = alpha * b[j * stride + l];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackEight(float* b, nint stride, nint k, float alpha, float* panel, nint width)
    {
        Vector256<float> factor = Vector256.Create(alpha);
        nint l = 0;
        for (; l + 4 <= k; l += 4, panel += 4 * width)
        {
            GemmKernel.LoadColumns(b + l, stride, out Vector256<float> x0, out Vector256<float> x1, out Vector256<float> x2, out Vector256<float> x3);
            (factor * x0).Store(panel);
            (factor * x1).Store(panel + width);
            (factor * x2).Store(panel + 2 * width);
            (factor * x3).Store(panel + 3 * width);
        }

        for (; l < k; l++, panel += width)
        {
            for (nint j = 0; j < 8; j++) panel[j] = alpha * b[j * stride + l];
        }
    }
}
