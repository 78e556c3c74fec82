using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// A row-major product as the column-major BLAS computes it: what is C [M, N] row by row is C^T [N, M] column by column, and C^T = op(B)^T op(A)^T.
/// So B comes first, and a matrix that is not transposed here is none there.
/// </summary>
/// <param name="First">What becomes of B.</param>
/// <param name="Second">What becomes of A.</param>
/// <param name="Rows">Rows of C^T.</param>
/// <param name="Columns">Columns of C^T.</param>
/// <param name="Summed">K.</param>
/// <param name="FirstStride">From a column of B, as BLAS sees it, to the next.</param>
/// <param name="SecondStride">From a column of A, as BLAS sees it, to the next.</param>
internal readonly record struct CuBlasCall(
    CuBlasOperation First, CuBlasOperation Second, int Rows, int Columns, int Summed, int FirstStride, int SecondStride)
{
    /// <summary>The call for C [m, n] = op(A) op(B).</summary>
    public static CuBlasCall Of(bool transposeA, bool transposeB, int m, int n, int k) => new(
        transposeB ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
        transposeA ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
        n,
        m,
        k,
        transposeB ? k : n,
        transposeA ? m : k);
}
