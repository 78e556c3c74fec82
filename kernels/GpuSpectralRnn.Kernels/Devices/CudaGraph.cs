using System.Runtime.InteropServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>A CUDA graph: captured launches that the driver queues by one call.</summary>
public sealed partial class CudaGraph : LaunchGraph
{
    private const int ThreadLocal = 1; // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may go on allocating

    private readonly CudaStream stream;
    private readonly Accelerator accelerator;
    private nint executable;

    private CudaGraph(Accelerator accelerator, CudaStream stream, nint executable) =>
        (this.accelerator, this.stream, this.executable) = (accelerator, stream, executable);

    /// <summary>
    /// Captures what <paramref name="launches"/> queues on a stream, without running it. Kernels must be loaded; it must not allocate or synchronise.
    /// </summary>
    /// <exception cref="NotSupportedException">The driver refuses.</exception>
    public static CudaGraph Record(Accelerator accelerator, CudaStream stream, Action launches)
    {
        try
        {
            accelerator.Bind();
            Check(BeginCapture(stream.StreamPtr, ThreadLocal), "begin");
            nint graph = Capture(stream, launches);
            try
            {
                return new CudaGraph(accelerator, stream, Instantiate(graph));
            }
            finally
            {
                _ = Destroy(graph);
            }
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new NotSupportedException($"The CUDA driver has no graphs: {missing.Message}", missing);
        }
    }

    /// <inheritdoc/>
    public override void Launch()
    {
        ObjectDisposedException.ThrowIf(executable == 0, this);
        accelerator.Bind();
        Check(LaunchExecutable(executable, stream.StreamPtr), "launch");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (executable == 0) return;
        accelerator.Bind();
        _ = DestroyExecutable(executable); // one that still runs is given back when it is done
        executable = 0;
    }

    private static nint Capture(CudaStream stream, Action launches)
    {
        try
        {
            launches();
        }
        catch (Exception failed)
        {
            // Whatever happened, the stream must leave this state.
            if (EndCapture(stream.StreamPtr, out nint part) == 0 && part != 0) _ = Destroy(part);
            if (failed is not AcceleratorException) throw;
            throw new NotSupportedException($"The CUDA driver refuses to take down a launch: {failed.Message}", failed);
        }

        Check(EndCapture(stream.StreamPtr, out nint graph), "end");
        return graph;
    }

    private static nint Instantiate(nint graph)
    {
        nint executable;
        try
        {
            Check(InstantiateWithFlags(out executable, graph, 0), "instantiate");
        }
        catch (EntryPointNotFoundException)
        {
            Check(InstantiateBefore114(out executable, graph, out _, 0, 0), "instantiate"); // drivers before 11.4
        }

        return executable;
    }

    private static void Check(int error, string what)
    {
        if (error != 0) throw new NotSupportedException($"The CUDA driver refuses to {what} a graph (error {error}).");
    }

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuStreamBeginCapture_v2")]
    private static partial int BeginCapture(nint stream, int mode);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuStreamEndCapture")]
    private static partial int EndCapture(nint stream, out nint graph);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    private static partial int InstantiateWithFlags(out nint executable, nint graph, ulong flags);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuGraphInstantiate_v2")]
    private static partial int InstantiateBefore114(out nint executable, nint graph, out nint failed, nint log, nuint logSize);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuGraphLaunch")]
    private static partial int LaunchExecutable(nint executable, nint stream);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuGraphExecDestroy")]
    private static partial int DestroyExecutable(nint executable);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuGraphDestroy")]
    private static partial int Destroy(nint graph);
}
