using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Matrix products by NVIDIA's cuBLAS, versions 11 to 13, on the backend's stream, where the choice and the device allow it.</summary>
internal sealed class CuBlasProducts : IDisposable
{
    private const CuBlasMathMode Tf32 = (CuBlasMathMode)3; // CUBLAS_TF32_TENSOR_OP_MATH, which the binding does not name
    private const long LargeProduct = 1 << 25; // multiply-adds from which on it is taken without being asked for: 256 x 256 x 512

    private readonly Lazy<CuBlas?> blas;
    private readonly bool isAsked;
    private readonly ProductBackend choice;

    /// <summary>Loads the library now if it was requested, so that the call fails early; else with the first large product.</summary>
    /// <exception cref="InvalidCallException">It was requested and cannot be loaded.</exception>
    public CuBlasProducts(DeviceInfo device, Accelerator accelerator, AcceleratorStream stream, ProductBackend choice)
    {
        this.choice = choice;
        isAsked = choice is ProductBackend.Cublas or ProductBackend.CublasTf32;
        CudaStream? queue = stream as CudaStream;
        bool mayBe = isAsked || choice == ProductBackend.Auto;
        blas = new(() => mayBe && accelerator is CudaAccelerator cuda && queue is not null ? Load(cuda, queue, choice) : null);
        if (!isAsked || blas.Value is not null) return;
        throw Absent(
            device,
            queue is null ? "it is no CUDA device" : "libcublas.so.11, .12 or .13 cannot be loaded (is its folder in LD_LIBRARY_PATH?)");
    }

    /// <summary>Whether the library is loaded.</summary>
    public bool IsLoaded => blas.IsValueCreated && blas.Value is not null;

    /// <summary>The error for a device that has no cuBLAS.</summary>
    public static InvalidCallException Absent(DeviceInfo device, string why) =>
        new($"`blas` cublas: {device.Id} has no cuBLAS, {why}; leave the choice to `blas` auto.");

    /// <summary>C = alpha op(A) op(B) + beta C, row-major; false, without any effect, where the project's kernels are to compute it.</summary>
    public bool TryMultiply(in GemmCall product)
    {
        if (!IsWanted(product.M, product.N, product.K) || blas.Value is not { } loaded) return false;
        CuBlasCall call = CuBlasCall.From(product);
        loaded.Gemm(
            call.First, call.Second, call.Rows, call.Columns, call.Summed,
            product.Alpha, product.B, call.FirstStride, product.A, call.SecondStride, product.Beta, product.C, call.Rows);
        return true;
    }

    /// <summary>The name of the plan for a product of these extents, or null where the project's kernels compute it.</summary>
    public string? PlanFor(int m, int n, int k) =>
        !IsWanted(m, n, k) || blas.Value is null ? null : choice == ProductBackend.CublasTf32 ? "cublas-tf32" : "cublas";

    private bool IsWanted(int m, int n, int k) => m > 0 && n > 0 && k > 0 && (isAsked || (long)m * n * k >= LargeProduct);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsLoaded) blas.Value!.Dispose();
    }

    private static CuBlas? Load(CudaAccelerator accelerator, CudaStream stream, ProductBackend choice)
    {
        try
        {
            CuBlas blas = new(accelerator) { Stream = stream };
            if (choice == ProductBackend.CublasTf32) blas.MathMode = Tf32;
            return blas;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException or CuBlasException)
        {
            return null;
        }
    }
}
