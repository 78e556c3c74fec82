using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Kernels;

/// <summary>Queues a kernel with its arguments.</summary>
/// <param name="stream">The stream.</param>
/// <param name="extent">Number of elements, items or groups.</param>
/// <param name="kernel">The kernel with its arguments.</param>
public delegate void Launcher<TKernel>(AcceleratorStream stream, int extent, in TKernel kernel)
    where TKernel : struct;

/// <summary>Compiles and loads kernels for one accelerator, each once, and decides how many items and groups to launch.</summary>
public sealed partial class KernelLoader : IDisposable
{
    private const int ItemsPerGroup = 128;

    private readonly Dictionary<(MethodInfo Kernel, int GroupSize, int GroupsPerMultiprocessor), Kernel> loaded = [];

    /// <summary>Loads for <paramref name="accelerator"/>, with the launch widths of its kind.</summary>
    public KernelLoader(Accelerator accelerator)
        : this(accelerator, accelerator.AcceleratorType == AcceleratorType.CPU)
    {
    }

    /// <summary>Loads for <paramref name="accelerator"/>, with the launch widths of ILGPU's simulator or of a real device.</summary>
    public KernelLoader(Accelerator accelerator, bool isSimulator)
    {
        Accelerator = accelerator;
        Memory = new DeviceMemory(accelerator);
        IsSimulator = isSimulator;
        IsProcessor = !isSimulator && accelerator.Device is CLDevice device && device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU);
        SharesMemory = !isSimulator && !IsProcessor;
        Multiprocessors = accelerator.NumMultiprocessors;
        BusyWidth = isSimulator ? 2 * accelerator.NumMultiprocessors : Math.Max(1024, accelerator.MaxNumThreads);
    }

    /// <summary>The accelerator kernels are loaded for.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Its memory.</summary>
    public DeviceMemory Memory { get; }

    /// <summary>Whether this is ILGPU's simulator, where every work item is costly and a barrier more so: few large items are fastest.</summary>
    public bool IsSimulator { get; }

    /// <summary>Whether this is an OpenCL driver on the processor, which vectorises across neighbouring items.</summary>
    public bool IsProcessor { get; }

    /// <summary>
    /// Whether exchanging data through shared memory is faster than reading it again. On the processor (the simulator, an OpenCL driver) it is not:
    /// all threads share caches, and a barrier is a loop over the group.
    /// </summary>
    public bool SharesMemory { get; init; }

    /// <summary>Whether groups of this size are allowed and <see cref="SharesMemory"/> holds.</summary>
    public bool CanShare(int threads) => SharesMemory && Accelerator.MaxNumThreadsPerGroup >= threads;

    /// <summary>Multiprocessors of the device.</summary>
    public int Multiprocessors { get; init; }

    /// <summary>Number of work items that fills the device; kernels over more elements loop with this stride.</summary>
    public int BusyWidth { get; }

    /// <summary>
    /// Number of work items to launch over <paramref name="elements"/> elements. On a processor one for each element: it runs the items of a group
    /// one after the other, so a strided loop would evict cache lines before the neighbouring item reads them.
    /// </summary>
    public int WidthFor(long elements) => (int)Math.Min(elements, IsProcessor ? int.MaxValue : BusyWidth);

    /// <summary>Number of kernels loaded so far; one kernel with two group sizes counts twice.</summary>
    public int Loaded => loaded.Count;

    /// <summary>Compiles kernels in source order, for GPUs; created on first use.</summary>
    public SourceOrderCompiler Compiler => compiler.Value;

    /// <summary>Disposes the compiler. Kernels are disposed with their accelerator, which the caller owns.</summary>
    public void Dispose()
    {
        if (compiler.IsValueCreated) compiler.Value.Dispose();
    }

    /// <summary>
    /// Loads a kernel over elements. Groups have the size that <see cref="KernelAttribute"/> states, or less where the device, or an OpenCL driver
    /// for this kernel, allows less (one on the simulator). The launcher's extent is the number of elements; with 0 it does nothing.
    /// </summary>
    public Launcher<TKernel> Elements<TKernel>()
        where TKernel : struct, IElementKernel
    {
        var run = Items(typeof(TKernel)).CreateLauncherDelegate<Action<AcceleratorStream, Index1D, TKernel, int, int>>();
        return (AcceleratorStream stream, int elements, in TKernel kernel) =>
        {
            int items = WidthFor(elements);
            if (items > 0) run(stream, items, kernel, elements, items);
        };
    }

    /// <summary>Loads a kernel of items, in groups as for elements. The launcher's extent is the number of items.</summary>
    public Launcher<TKernel> Items<TKernel>()
        where TKernel : struct, IItemKernel
    {
        var run = Items(typeof(TKernel)).CreateLauncherDelegate<Action<AcceleratorStream, Index1D, TKernel>>();
        return (AcceleratorStream stream, int items, in TKernel kernel) => run(stream, items, kernel);
    }

    /// <summary>
    /// Loads a kernel of groups of the size that <see cref="KernelAttribute"/> states; CUDA limits its registers so that the stated number of groups
    /// is resident on a multiprocessor. The launcher's extent is the number of groups.
    /// </summary>
    public Launcher<TKernel> Groups<TKernel>()
        where TKernel : struct, IGroupKernel
    {
        MethodInfo entry = KernelEntries.Find(typeof(TKernel));
        KernelAttribute mark = KernelAttribute.From(entry);
        return GroupLauncher<TKernel>(Once(entry, mark.GroupSize, mark.GroupsPerMultiprocessor, LoadGroups), mark.GroupSize);
    }

    /// <summary>Loads a kernel of groups of any size, which it reads from <c>Group.DimX</c>.</summary>
    public Launcher<TKernel> Groups<TKernel>(int groupSize)
        where TKernel : struct, IGroupKernel =>
        GroupLauncher<TKernel>(Once(KernelEntries.Find(typeof(TKernel)), groupSize, 1, LoadGroups), groupSize);

    /// <summary>The size of groups where <paramref name="wanted"/> is wanted: less where the device allows less; one on the simulator.</summary>
    public int GroupSizeFor(int wanted) => IsSimulator ? 1 : Math.Min(wanted, Accelerator.MaxNumThreadsPerGroup);

    /// <summary>Loads a kernel of groups with dynamic shared memory.</summary>
    /// <param name="groupSize">Threads of a group.</param>
    /// <param name="dynamicBytes">Dynamic shared memory of a group, in bytes.</param>
    /// <param name="spilledBytes">Receives the bytes of local memory (spilled registers) of a thread; 0 where the device does not report it.</param>
    /// <exception cref="NotSupportedException">The driver does not allow this much shared memory, or this many threads.</exception>
    public Launcher<TKernel> Groups<TKernel>(int groupSize, int dynamicBytes, out int spilledBytes)
        where TKernel : struct, IGroupKernel
    {
        Kernel groups = Once(KernelEntries.Find(typeof(TKernel)), groupSize, 1, LoadGroups);
        spilledBytes = 0;
        if (groups is CudaKernel onCuda)
        {
            CudaFunction.AllowSharedBytes(onCuda.FunctionPtr, dynamicBytes);
            spilledBytes = CudaFunction.Usage(onCuda.FunctionPtr).LocalBytes;
        }
        else if (Accelerator is CLAccelerator && Accelerator.EstimateGroupSize(groups) is var granted && granted < groupSize)
        {
            throw new NotSupportedException($"The OpenCL driver grants this kernel groups of {granted} threads, and it takes {groupSize}.");
        }

        return GroupLauncher<TKernel>(groups, groupSize, dynamicBytes);
    }

    /// <summary>A launcher that takes the arguments shared by a family of kernels.</summary>
    public static Launcher<TArguments> Sharing<TKernel, TArguments>(Launcher<TKernel> launcher)
        where TKernel : struct, IKernelWith<TKernel, TArguments>
        where TArguments : struct =>
        (AcceleratorStream stream, int extent, in TArguments arguments) => launcher(stream, extent, TKernel.With(arguments));

    private static Launcher<TKernel> GroupLauncher<TKernel>(Kernel groups, int groupSize, int dynamicBytes = 0)
        where TKernel : struct
    {
        var run = groups.CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, TKernel>>();
        SharedMemoryConfig shared = dynamicBytes == 0 ? default : SharedMemoryConfig.RequestDynamic<float>(dynamicBytes / sizeof(float));
        return (AcceleratorStream stream, int count, in TKernel kernel) => run(stream, new KernelConfig(count, groupSize, shared), kernel);
    }

    // Drivers take up to a second over a large kernel.
    private Kernel Once(MethodInfo kernel, int groupSize, int groupsPerMultiprocessor, Func<MethodInfo, int, int, Kernel> load)
    {
        (MethodInfo, int, int) key = (kernel, groupSize, groupsPerMultiprocessor);
        if (!loaded.TryGetValue(key, out Kernel? known)) loaded[key] = known = load(kernel, groupSize, groupsPerMultiprocessor);
        return known;
    }

    private Kernel Items(Type kernel)
    {
        MethodInfo entry = KernelEntries.Find(kernel);
        int stated = KernelAttribute.From(entry).GroupSize;
        return Once(entry, GroupSizeFor(stated > 0 ? stated : ItemsPerGroup), 0, LoadItems);
    }

    private Kernel LoadItems(MethodInfo kernel, int groupSize, int groupsPerMultiprocessor)
    {
        if (Accelerator is CudaAccelerator cuda)
            return Accelerator.LoadImplicitlyGroupedKernel(Compiled(cuda, kernel, KernelSpecialization.Empty), groupSize);
        Kernel items = Accelerator.LoadImplicitlyGroupedKernel(kernel, groupSize);
        return Accelerator is CLAccelerator && Accelerator.EstimateGroupSize(items) is var granted && granted < groupSize
            ? Accelerator.LoadImplicitlyGroupedKernel(kernel, granted)
            : items;
    }

    private Kernel LoadGroups(MethodInfo kernel, int groupSize, int groupsPerMultiprocessor)
    {
        KernelSpecialization specialization = new(groupSize, groupsPerMultiprocessor);
        if (Accelerator is CudaAccelerator cuda) return cuda.LoadKernel(Compiled(cuda, kernel, specialization));
        if (Accelerator is not CLAccelerator device) return Accelerator.LoadKernel(kernel, specialization);
        CompiledKernel compiled = Compiled(device, kernel, specialization);
        return device.LoadKernel(Rewritten(compiled, text => WithGroupSize(WithLocalFences(IsProcessor ? WithContraction(text) : text), groupSize)));
    }

    // Processors' drivers make vectors of a group's items and want ILGPU's order; registers are few on graphics processors.
    private CompiledKernel Compiled(CLAccelerator device, MethodInfo kernel, KernelSpecialization specialization)
    {
        if (SharesMemory) return compiler.Value.Compile(kernel, specialization, device.Vendor, device.Capabilities, device.CLStdVersion);
        return device.Backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), specialization);
    }

    private readonly Lazy<SourceOrderCompiler> compiler = new();

    private CompiledKernel Compiled(CudaAccelerator cuda, MethodInfo kernel, KernelSpecialization specialization)
    {
        PTXCompiledKernel compiled = compiler.Value.Compile(kernel, specialization, cuda.Architecture, cuda.Capabilities, cuda.InstructionSet);
        FieldInfo text = typeof(PTXCompiledKernel).GetField("<PTXAssembly>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new MissingFieldException(nameof(PTXCompiledKernel), nameof(PTXCompiledKernel.PTXAssembly));
        text.SetValue(compiled, WithStableNames(compiled.PTXAssembly));
        return compiled;
    }

    /// <summary>The text of a compiled kernel has no setter, hence the backing field.</summary>
    private static CompiledKernel Rewritten(CompiledKernel kernel, Func<string, string> rewrite)
    {
        if (kernel is not CLCompiledKernel compiled) return kernel;
        FieldInfo text = typeof(CLCompiledKernel).GetField("<Source>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new MissingFieldException(nameof(CLCompiledKernel), nameof(CLCompiledKernel.Source));
        text.SetValue(compiled, rewrite(compiled.Source));
        return compiled;
    }

    /// <summary>
    /// The PTX with the numbers in the names of parameters and labels counted from zero. ILGPU numbers them through all that a process compiled
    /// before, so that the driver, which keeps what it compiled from the same text, would compile every kernel again in every run.
    /// </summary>
    public static string WithStableNames(string ptx)
    {
        Dictionary<string, int> numbers = [];
        return NumberInName().Replace(ptx, number =>
        {
            if (!numbers.TryGetValue(number.Value, out int known)) numbers[number.Value] = known = numbers.Count;
            return known.ToString(CultureInfo.InvariantCulture);
        });
    }

    [GeneratedRegex(@"(?<=[A-Za-z0-9]_)(?<!\bsm_)[0-9]+\b")]
    private static partial Regex NumberInName();

    /// <summary>
    /// The OpenCL text with barriers that order local memory as well as global memory. ILGPU 1.5.3 writes Group.Barrier as one that orders global
    /// memory only; kernels that exchange data through shared memory need the local fence too.
    /// </summary>
    public static string WithLocalFences(string source) =>
        source.Replace("CLK_GLOBAL_MEM_FENCE", "(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)", StringComparison.Ordinal);

    /// <summary>
    /// The OpenCL text of a kernel in which a product and the sum behind it become one operation, as on CUDA. ILGPU writes them as two statements,
    /// and the compilers of processors' drivers, which are Clang, fuse within a statement only.
    /// </summary>
    public static string WithContraction(string source) => "#pragma clang fp contract(fast)\n" + source;

    /// <summary>The OpenCL text of a kernel whose groups always have one size, so that its driver can plan the registers, as CUDA's can.</summary>
    public static string WithGroupSize(string source, int size) =>
        source.Replace("kernel void ", $"kernel __attribute__((reqd_work_group_size({size}, 1, 1))) void ", StringComparison.Ordinal);
}
