using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Kernels;

/// <summary>Compiles and loads kernels for one accelerator and says how wide to launch them there.</summary>
public sealed class KernelLoader
{
    /// <summary>Loads for <paramref name="accelerator"/>, launching as its kind asks.</summary>
    public KernelLoader(Accelerator accelerator)
        : this(accelerator, accelerator.AcceleratorType == AcceleratorType.CPU)
    {
    }

    /// <summary>Loads for <paramref name="accelerator"/>, launching as on ILGPU's simulator or as on a real device.</summary>
    public KernelLoader(Accelerator accelerator, bool isSimulator)
    {
        Accelerator = accelerator;
        IsSimulator = isSimulator;
        SharesMemory = !isSimulator && !(accelerator.Device is CLDevice device && device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU));
        BusyWidth = isSimulator ? 2 * accelerator.NumMultiprocessors : Math.Max(1024, accelerator.MaxNumThreads);
    }

    /// <summary>The accelerator kernels are loaded for.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>ILGPU's simulator, where a work item costs much and a barrier more: few and fat items are best.</summary>
    public bool IsSimulator { get; }

    /// <summary>
    /// Whether threads gain by exchanging data through shared memory. Where a processor plays the device, the simulator's or an OpenCL driver's, caches
    /// serve all threads alike and a barrier costs a pass over the group.
    /// </summary>
    public bool SharesMemory { get; init; }

    /// <summary>Work items that keep the device busy; kernels over more elements walk them with this stride.</summary>
    public int BusyWidth { get; }

    /// <summary>Work items to launch over <paramref name="elements"/> elements.</summary>
    public int WidthFor(long elements) => (int)Math.Min(elements, BusyWidth);

    /// <summary>Loads an implicitly grouped kernel in groups of <paramref name="groupSize"/> (of one on the simulator).</summary>
    /// <typeparam name="TLauncher">(AcceleratorStream, Index1D extent, the kernel's other parameters).</typeparam>
    public TLauncher Load<TLauncher>(Delegate kernel, int groupSize = 128)
        where TLauncher : Delegate =>
        Accelerator.LoadImplicitlyGroupedKernel(kernel.Method, IsSimulator ? 1 : Math.Min(groupSize, Accelerator.MaxNumThreadsPerGroup))
            .CreateLauncherDelegate<TLauncher>();

    /// <summary>
    /// Loads an explicitly grouped kernel that is always launched in groups of <paramref name="groupSize"/>; CUDA compiles it for registers so few that
    /// <paramref name="groupsPerMultiprocessor"/> fit side by side.
    /// </summary>
    /// <typeparam name="TLauncher">(AcceleratorStream, KernelConfig, the kernel's parameters).</typeparam>
    public TLauncher LoadGrouped<TLauncher>(Delegate kernel, int groupSize, int groupsPerMultiprocessor = 1)
        where TLauncher : Delegate
    {
        KernelSpecialization specialization = new(groupSize, groupsPerMultiprocessor);
        EntryPointDescription entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method);
        Kernel loaded = Accelerator is CLAccelerator device
            ? device.LoadKernel(WithLocalFences(device.Backend.Compile(entry, specialization)))
            : Accelerator.LoadKernel(kernel.Method, specialization);
        return loaded.CreateLauncherDelegate<TLauncher>();
    }

    /// <summary>
    /// ILGPU 1.5.3 writes Group.Barrier as a barrier that orders global memory only; kernels that exchange data through shared memory need the local
    /// fence too. The text of a compiled kernel has no setter, hence the backing field.
    /// </summary>
    private static ILGPU.Backends.CompiledKernel WithLocalFences(ILGPU.Backends.CompiledKernel kernel)
    {
        if (kernel is not CLCompiledKernel compiled) return kernel;
        FieldInfo text = typeof(CLCompiledKernel).GetField("<Source>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new MissingFieldException(nameof(CLCompiledKernel), nameof(CLCompiledKernel.Source));
        text.SetValue(compiled, WithLocalFences(compiled.Source));
        return compiled;
    }

    /// <summary>The OpenCL text with barriers that order local memory as well as global memory.</summary>
    public static string WithLocalFences(string source) =>
        source.Replace("CLK_GLOBAL_MEM_FENCE", "(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)", StringComparison.Ordinal);
}
