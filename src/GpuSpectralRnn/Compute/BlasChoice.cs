namespace GpuSpectralRnn.Compute;

/// <summary>Who computes matrix products on an ILGPU device.</summary>
public enum BlasChoice
{
    /// <summary>cuBLAS for large products on CUDA where its library is found, else this project's kernels.</summary>
    Auto,

    /// <summary>This project's kernels.</summary>
    Kernels,

    /// <summary>cuBLAS in single precision; an error where there is none.</summary>
    CuBlas,

    /// <summary>cuBLAS on tensor cores, which round the factors to TF32 (10 bits behind the point); an error where there is none.</summary>
    CuBlasTf32,
}
