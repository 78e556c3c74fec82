using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GpuSpectralRnn.Compute.Host;

/// <content>A single row times B^T, B [n, k]: packing would cost more than it saves.</content>
internal static unsafe partial class GemmKernel
{
    /// <summary>Columns of C that <see cref="MultiplyRowTransposed"/> makes at a time.</summary>
    public const int RowTransposedColumns = 32;

    /// <summary>Whether <see cref="MultiplyRowTransposed"/> can run here.</summary>
    public static bool HasRowTransposed => Avx.IsSupported;

    /// <summary>
    /// c [columns] = a B^T + add for a [k] and B [columns, k] with the row stride <paramref name="stride"/>; columns is a multiple of
    /// <see cref="RowTransposedColumns"/>, add may be null. The same additions in the same order as those of <see cref="Multiply"/> in steps of
    /// <see cref="Depth"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyRowTransposed(nint columns, nint k, float* a, float* b, nint stride, float* c, float* add)
    {
        for (; columns > 0; columns -= RowTransposedColumns, b += RowTransposedColumns * stride, c += RowTransposedColumns)
        {
            float* extra = add;
            for (nint first = 0; first < k; first += Depth, extra = c)
            {
                Vector256<float> c0 = default, c1 = default, c2 = default, c3 = default;
                nint end = Math.Min(k, first + Depth);
                nint l = first;
                for (; l + 4 <= end; l += 4)
                {
                    AddFour(a + l, b + l, stride, ref c0);
                    AddFour(a + l, b + 8 * stride + l, stride, ref c1);
                    AddFour(a + l, b + 16 * stride + l, stride, ref c2);
                    AddFour(a + l, b + 24 * stride + l, stride, ref c3);
                }

                for (; l < end; l++)
                {
                    AddOne(a[l], b + l, stride, ref c0);
                    AddOne(a[l], b + 8 * stride + l, stride, ref c1);
                    AddOne(a[l], b + 16 * stride + l, stride, ref c2);
                    AddOne(a[l], b + 24 * stride + l, stride, ref c3);
                }

                if (extra != null)
                {
                    c0 += Vector256.Load(extra);
                    c1 += Vector256.Load(extra + 8);
                    c2 += Vector256.Load(extra + 16);
                    c3 += Vector256.Load(extra + 24);
                }

                c0.Store(c);
                c1.Store(c + 8);
                c2.Store(c + 16);
                c3.Store(c + 24);
            }

            if (add != null) add += RowTransposedColumns;
        }
    }

    /// <summary>Four columns of eight rows of b: x0 holds b[0], b[stride], ..., b[7 stride], x1 what stands behind each, and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadColumns(
        float* b, nint stride, out Vector256<float> x0, out Vector256<float> x1, out Vector256<float> x2, out Vector256<float> x3)
    {
        float* lower = b + 4 * stride;
        Vector256<float> r0 = Vector256.Create(Vector128.Load(b), Vector128.Load(lower));
        Vector256<float> r1 = Vector256.Create(Vector128.Load(b + stride), Vector128.Load(lower + stride));
        Vector256<float> r2 = Vector256.Create(Vector128.Load(b + 2 * stride), Vector128.Load(lower + 2 * stride));
        Vector256<float> r3 = Vector256.Create(Vector128.Load(b + 3 * stride), Vector128.Load(lower + 3 * stride));
        Vector256<float> low01 = Avx.UnpackLow(r0, r1), high01 = Avx.UnpackHigh(r0, r1);
        Vector256<float> low23 = Avx.UnpackLow(r2, r3), high23 = Avx.UnpackHigh(r2, r3);
        x0 = Avx.Shuffle(low01, low23, 0x44);
        x1 = Avx.Shuffle(low01, low23, 0xEE);
        x2 = Avx.Shuffle(high01, high23, 0x44);
        x3 = Avx.Shuffle(high01, high23, 0xEE);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddFour(float* a, float* b, nint stride, ref Vector256<float> sum)
    {
        LoadColumns(b, stride, out Vector256<float> x0, out Vector256<float> x1, out Vector256<float> x2, out Vector256<float> x3);
        sum = Vector256.MultiplyAddEstimate(Vector256.Create(a[0]), x0, sum);
        sum = Vector256.MultiplyAddEstimate(Vector256.Create(a[1]), x1, sum);
        sum = Vector256.MultiplyAddEstimate(Vector256.Create(a[2]), x2, sum);
        sum = Vector256.MultiplyAddEstimate(Vector256.Create(a[3]), x3, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOne(float a, float* b, nint stride, ref Vector256<float> sum)
    {
        float* lower = b + 4 * stride;
        nint s3 = 3 * stride;
        Vector256<float> x = Vector256.Create(
            b[0], b[stride], b[2 * stride], b[s3], lower[0], lower[stride], lower[2 * stride], lower[s3]);
        sum = Vector256.MultiplyAddEstimate(Vector256.Create(a), x, sum);
    }
}
