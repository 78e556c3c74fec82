using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>A context of the CUDA simulator, by the driver's own calls: what comes back are CUDA's error codes, 0 for success.</summary>
internal sealed partial class SimulatedDriver : IDisposable
{
    private readonly nint context;

    /// <summary>Skips the test where the simulator is not loaded.</summary>
    public SimulatedDriver()
    {
        CudaSimulator.Require();
        Check(Init(0));
        Check(CreateContext(out context, 0, 0));
    }

    /// <summary>Why the context is broken, or a module was refused.</summary>
    public static string Message => Marshal.PtrToStringUTF8(SimulatorMessage())!;

    public static void Check(int error)
    {
        if (error != 0) throw new InvalidOperationException($"CUDA error {error}: {Message}");
    }

    /// <summary>The only kernel, k, of a text that states its parameters and body.</summary>
    public static nint Kernel(string parameters, string body)
    {
        Check(LoadModule(out nint module, Text(parameters, body)));
        Check(GetFunction(out nint function, module, "k"));
        return function;
    }

    public static string Text(string parameters, string body) =>
        $".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k({parameters})\n{{\n" +
        ".reg .pred %p<9>;\n.reg .b32 %r<20>;\n.reg .b64 %rd<9>;\n.reg .f32 %f<9>;\n" + body + "\nret;\n}\n";

    /// <summary>Device memory that holds these numbers.</summary>
    public static ulong Put(params ReadOnlySpan<int> numbers)
    {
        Check(Allocate(out ulong address, (nuint)(4 * numbers.Length)));
        unsafe
        {
            fixed (int* source = numbers) Check(Copy(address, (ulong)source, (nuint)(4 * numbers.Length), 0));
        }

        return address;
    }

    /// <summary>Numbers of device memory, after all work of a stream.</summary>
    public static int[] Get(ulong address, int count, nint stream = 0)
    {
        int[] numbers = new int[count];
        unsafe
        {
            fixed (int* target = numbers) Check(Copy((ulong)target, address, (nuint)(4 * count), stream));
        }

        return numbers;
    }

    /// <summary>Queues a kernel of 64-bit parameters.</summary>
    public static unsafe int Launch(nint function, int groups, int threads, ReadOnlySpan<ulong> parameters, int sharedBytes = 0, nint stream = 0)
    {
        fixed (ulong* values = parameters)
        {
            ulong** places = stackalloc ulong*[Math.Max(1, parameters.Length)];
            for (int i = 0; i < parameters.Length; i++) places[i] = values + i;
            return LaunchKernel(function, (uint)groups, 1, 1, (uint)threads, 1, 1, (uint)sharedBytes, stream, (nint)places, 0);
        }
    }

    public void Dispose() => _ = DestroyContext(context);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuInit")]
    private static partial int Init(uint flags);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuCtxCreate_v2")]
    private static partial int CreateContext(out nint context, uint flags, int device);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuCtxDestroy_v2")]
    private static partial int DestroyContext(nint context);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "simulatorMessage")]
    private static partial nint SimulatorMessage();

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuCtxSynchronize")]
    public static partial int Synchronize();

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuModuleLoadData", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LoadModule(out nint module, string text);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetFunction(out nint function, nint module, string name);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial int SetAttribute(nint function, int attribute, int value);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuLaunchKernel")]
    private static partial int LaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint stream, nint parameters, nint extra);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuMemAlloc_v2")]
    public static partial int Allocate(out ulong address, nuint bytes);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuMemFree_v2")]
    public static partial int Free(ulong address);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuMemAllocHost_v2")]
    public static partial int AllocateHost(out nint address, nuint bytes);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuMemcpyAsync")]
    public static partial int Copy(ulong destination, ulong source, nuint bytes, nint stream);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuMemsetD8Async")]
    public static partial int Fill(ulong destination, byte value, nuint bytes, nint stream);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuStreamCreate")]
    public static partial int CreateStream(out nint stream, uint flags);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuStreamSynchronize")]
    public static partial int SynchronizeStream(nint stream);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuStreamWaitEvent")]
    public static partial int WaitEvent(nint stream, nint handle, uint flags);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuEventCreate")]
    public static partial int CreateEvent(out nint handle, uint flags);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuEventRecord")]
    public static partial int RecordEvent(nint handle, nint stream);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial int BeginCapture(nint stream, int mode);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuStreamEndCapture")]
    public static partial int EndCapture(nint stream, out nint graph);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial int Instantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(CudaSimulator.Library, EntryPoint = "cuGraphLaunch")]
    public static partial int LaunchGraph(nint executable, nint stream);
}
