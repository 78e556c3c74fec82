using GpuSpectralRnn.Kernels;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// A row-major product as the column-major BLAS computes it: what is C [M, N] row by row is C^T [N, M] column by column, and C^T = op(B)^T op(A)^T.
/// So B comes first, and transposition flags are the same.
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
    /// <summary>The call for a product.</summary>
    public static CuBlasCall From(in GemmCall product) => new(
        product.TransposeB ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
        product.TransposeA ? CuBlasOperation.Transpose : CuBlasOperation.NonTranspose,
        product.N,
        product.M,
        product.K,
        product.TransposeB ? product.K : product.N,
        product.TransposeA ? product.M : product.K);
}
