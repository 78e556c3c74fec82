namespace ILGPU.Runtime.Cuda;

/// <summary>What becomes of a matrix.</summary>
public enum CuBlasOperation
{
    /// <summary>Nothing.</summary>
    NonTranspose = 0,

    /// <summary>It is transposed.</summary>
    Transpose = 1,
}

/// <summary>How products are rounded.</summary>
public enum CuBlasMathMode
{
    /// <summary>As their type says.</summary>
    DefaultMath = 0,
}

/// <summary>cuBLAS refused; the stand-in has none to refuse.</summary>
public sealed class CuBlasException : Exception
{
    private CuBlasException()
    {
    }
}

/// <summary>NVIDIA's BLAS; the stand-in has none.</summary>
public sealed class CuBlas : IDisposable
{
    /// <summary>Would load the library.</summary>
    public CuBlas(CudaAccelerator accelerator) => throw new DllNotFoundException("The stand-in for ILGPU has no cuBLAS.");

    /// <summary>Where its work is queued.</summary>
    public CudaStream Stream { get; set; } = null!;

    /// <summary>How products are rounded.</summary>
    public CuBlasMathMode MathMode { get; set; }

    /// <summary>c = alpha op(a) op(b) + beta c, column-major.</summary>
    public void Gemm(
        CuBlasOperation transa,
        CuBlasOperation transb,
        int m,
        int n,
        int k,
        float alpha,
        ArrayView<float> a,
        int lda,
        ArrayView<float> b,
        int ldb,
        float beta,
        ArrayView<float> c,
        int ldc)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
