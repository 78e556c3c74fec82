using GpuSpectralRnn.Kernels;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Uploads on a second CUDA stream, from page-locked memory; two events on the device order it and the stream of the work.</summary>
internal sealed class CudaUploadLane : IUploadLane, IDisposable
{
    private readonly IlgpuBackend backend;
    private readonly CudaStream work;
    private readonly CudaStream copies;
    private readonly CudaEvent begun;
    private readonly CudaEvent uploaded;

    private CudaUploadLane(IlgpuBackend backend, CudaStream work, CudaStream copies, CudaEvent begun, CudaEvent uploaded) =>
        (this.backend, this.work, this.copies, this.begun, this.uploaded) = (backend, work, copies, begun, uploaded);

    /// <summary>A lane for a CUDA device; null for others, and where its driver has no events.</summary>
    public static CudaUploadLane? Create(IlgpuBackend backend)
    {
        if (backend.Stream is not CudaStream work || backend.Accelerator.CreateStream() is not CudaStream copies) return null;
        if (CudaEvent.Create() is { } begun)
        {
            if (CudaEvent.Create() is { } uploaded) return new CudaUploadLane(backend, work, copies, begun, uploaded);
            begun.Dispose();
        }

        copies.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Begin()
    {
        backend.Accelerator.Bind();
        begun.Await(copies); // as the Begin before set it
        begun.Record(work);
    }

    /// <inheritdoc/>
    public void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged => backend.Upload(copies, source, destination);

    /// <inheritdoc/>
    public void End()
    {
        backend.Accelerator.Bind();
        uploaded.Record(copies);
        uploaded.Await(work);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        copies.Synchronize();
        begun.Dispose();
        uploaded.Dispose();
        copies.Dispose();
    }
}
