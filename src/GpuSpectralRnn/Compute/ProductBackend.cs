namespace GpuSpectralRnn.Compute;

/// <summary>Who computes matrix products on an ILGPU device.</summary>
public enum ProductBackend
{
    /// <summary>cuBLAS for large products on CUDA where its library is found, else this project's kernels.</summary>
    Auto,

    /// <summary>This project's kernels.</summary>
    Kernels,

    /// <summary>
    /// This project's kernels, for large products on tensor cores, which round the factors to TF32 (10 bits behind the point, a relative error of
    /// 2^-11 each); an error on anything but CUDA devices from compute capability 8.0 on.
    /// </summary>
    KernelsTf32,

    /// <summary>cuBLAS in single precision; an error where there is none.</summary>
    Cublas,

    /// <summary>cuBLAS on tensor cores, which round the factors to TF32 (10 bits behind the point); an error where there is none.</summary>
    CublasTf32,
}
