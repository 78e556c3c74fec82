using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>A CUDA event: a point in one stream that other streams wait for on the device, without blocking the host.</summary>
public sealed partial class CudaEvent : IDisposable
{
    private const int DisableTiming = 2; // CU_EVENT_DISABLE_TIMING

    private nint handle;

    private CudaEvent(nint handle) => this.handle = handle;

    /// <summary>Creates an event in the current CUDA context; null if the driver refuses.</summary>
    public static CudaEvent? Create()
    {
        try
        {
            return CreateEvent(out nint handle, DisableTiming) == 0 ? new CudaEvent(handle) : null;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Records the event behind what is queued on a stream so far. Waits queued earlier keep the earlier record.</summary>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public void Record(CudaStream stream) => Check(RecordEvent(handle, stream.StreamPtr));

    /// <summary>Makes work queued on a stream from now on wait for the latest record; without a record it does not wait.</summary>
    /// <exception cref="InvalidOperationException">The driver refuses.</exception>
    public void Await(CudaStream stream) => Check(StreamWaitEvent(stream.StreamPtr, handle, 0));

    /// <summary>Destroys the event; the context must still exist.</summary>
    public void Dispose()
    {
        if (handle != 0) _ = DestroyEvent(handle);
        handle = 0;
    }

    private static void Check(int error)
    {
        if (error != 0) throw new InvalidOperationException($"The CUDA driver cannot order two streams (error {error}).");
    }

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuEventCreate")]
    private static partial int CreateEvent(out nint handle, uint flags);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuEventRecord")]
    private static partial int RecordEvent(nint handle, nint stream);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuStreamWaitEvent")]
    private static partial int StreamWaitEvent(nint stream, nint handle, uint flags);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuEventDestroy_v2")]
    private static partial int DestroyEvent(nint handle);
}
