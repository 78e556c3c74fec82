using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// The register tile of the double-precision products: 4 x 12 sums in twelve 256-bit registers, three registers for a row of B and one for an element
/// of A, all sixteen of AVX2; enough independent sums for two multiply-add units.
/// </summary>
internal static unsafe class Float64Tile
{
    /// <summary>Rows of a tile.</summary>
    public const int Height = 4;

    /// <summary>Columns of a tile; a multiple of <see cref="Height"/>, so that a packed panel of columns can serve as rows too.</summary>
    public const int Width = 12;

    /// <summary>c[i, j] += sum_k a[k, i] b[k, j] for i below 4, j below 12.</summary>
    /// <param name="depth">Number of terms.</param>
    /// <param name="a">[depth, 4] with rows <paramref name="strideA"/> apart.</param>
    /// <param name="strideA">Doubles from one k to the next in <paramref name="a"/>.</param>
    /// <param name="b">[depth, 12], packed.</param>
    /// <param name="c">[4, 12] with rows <paramref name="strideC"/> apart.</param>
    /// <param name="strideC">Doubles from one row to the next in <paramref name="c"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyAdd(int depth, double* a, int strideA, double* b, double* c, int strideC)
    {
        Vector256<double> s00 = default, s01 = default, s02 = default;
        Vector256<double> s10 = default, s11 = default, s12 = default;
        Vector256<double> s20 = default, s21 = default, s22 = default;
        Vector256<double> s30 = default, s31 = default, s32 = default;
        for (int k = 0; k < depth; k++, a += strideA, b += Width)
        {
            Vector256<double> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 4), b2 = Vector256.Load(b + 8);
            Vector256<double> x = Vector256.Create(a[0]);
            s00 = Vector256.MultiplyAddEstimate(x, b0, s00);
            s01 = Vector256.MultiplyAddEstimate(x, b1, s01);
            s02 = Vector256.MultiplyAddEstimate(x, b2, s02);
            x = Vector256.Create(a[1]);
            s10 = Vector256.MultiplyAddEstimate(x, b0, s10);
            s11 = Vector256.MultiplyAddEstimate(x, b1, s11);
            s12 = Vector256.MultiplyAddEstimate(x, b2, s12);
            x = Vector256.Create(a[2]);
            s20 = Vector256.MultiplyAddEstimate(x, b0, s20);
            s21 = Vector256.MultiplyAddEstimate(x, b1, s21);
            s22 = Vector256.MultiplyAddEstimate(x, b2, s22);
            x = Vector256.Create(a[3]);
            s30 = Vector256.MultiplyAddEstimate(x, b0, s30);
            s31 = Vector256.MultiplyAddEstimate(x, b1, s31);
            s32 = Vector256.MultiplyAddEstimate(x, b2, s32);
        }

        AddRow(c, s00, s01, s02);
        AddRow(c + strideC, s10, s11, s12);
        AddRow(c + 2 * strideC, s20, s21, s22);
        AddRow(c + 3 * strideC, s30, s31, s32);
    }

    private static void AddRow(double* c, Vector256<double> s0, Vector256<double> s1, Vector256<double> s2)
    {
        (Vector256.Load(c) + s0).Store(c);
        (Vector256.Load(c + 4) + s1).Store(c + 4);
        (Vector256.Load(c + 8) + s2).Store(c + 8);
    }
}
