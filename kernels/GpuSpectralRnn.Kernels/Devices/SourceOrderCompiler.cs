using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PointerViews;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Transformations;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Compiles kernels to PTX and OpenCL C in the order in which they are written. ILGPU's level O2 moves every computation to where its result is used,
/// into loops too (divisions of indices among them), and sorts unrolled products by the sum they belong to, so that all their factors are in
/// registers at once; NVIDIA's assembler does not undo that. Level O1 leaves the order alone, but also the address spaces of pointers unknown: the
/// passes that find them are added here.
/// </summary>
public sealed class SourceOrderCompiler : IDisposable
{
    private readonly Lazy<Context> exact = new(() => Create(MathMode.Default));
    private readonly Lazy<Context> fast = new(() => Create(MathMode.Fast));
    private bool isDisposed;

    /// <summary>Compiles a kernel for CUDA.</summary>
    /// <param name="kernel">A kernel, implicitly or explicitly grouped.</param>
    /// <param name="specialization">The groups to plan for.</param>
    /// <param name="architecture">The architecture.</param>
    /// <param name="capabilities">What it can do.</param>
    /// <param name="instructions">The version of PTX.</param>
    public PTXCompiledKernel Compile(
        MethodInfo kernel,
        KernelSpecialization specialization,
        CudaArchitecture architecture,
        CudaCapabilityContext capabilities,
        CudaInstructionSet instructions)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        Context context = (KernelAttribute.From(kernel).DividesFast ? fast : exact).Value;
        using PTXBackend backend = new(context, capabilities, architecture, instructions, null);
        return (PTXCompiledKernel)backend.Compile(EntryPoint(kernel), specialization, default(AddressSpaces));
    }

    /// <summary>Compiles a kernel for OpenCL.</summary>
    /// <param name="kernel">A kernel, implicitly or explicitly grouped.</param>
    /// <param name="specialization">The groups to plan for.</param>
    /// <param name="vendor">The device's vendor.</param>
    /// <param name="capabilities">What the device can do.</param>
    /// <param name="version">The version of OpenCL C.</param>
    public CLCompiledKernel Compile(
        MethodInfo kernel, KernelSpecialization specialization, CLDeviceVendor vendor, CLCapabilityContext capabilities, CLCVersion version)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        using CLBackend backend = new(exact.Value, capabilities, vendor, version);
        return (CLCompiledKernel)backend.Compile(EntryPoint(kernel), specialization, default(AddressSpaces));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        isDisposed = true;
        if (exact.IsValueCreated) exact.Value.Dispose();
        if (fast.IsValueCreated) fast.Value.Dispose();
    }

    private static Context Create(MathMode mode) => Context.Create(builder => builder.Optimize(OptimizationLevel.O1).Math(mode).EnableAlgorithms());

    private static EntryPointDescription EntryPoint(MethodInfo kernel) => KernelCatalog.IsImplicitlyGrouped(kernel)
        ? EntryPointDescription.FromImplicitlyGroupedKernel(kernel)
        : EntryPointDescription.FromExplicitlyGroupedKernel(kernel);

    // What O2 does about address spaces, without what it does about order.
    private readonly struct AddressSpaces : IBackendHook
    {
        public void FinishedCodeGeneration(IRContext context, Method entryPoint)
        {
        }

        public void InitializedKernelContext(IRContext kernelContext, Method kernelMethod)
        {
            Transformer.Builder passes = Transformer.CreateBuilder(TransformerConfiguration.Empty);
            passes.Add(new LowerArrays(MemoryAddressSpace.Local));
            passes.Add(new LowerPointerViews());
            passes.Add(new DeadCodeElimination());
            passes.Add(new InferKernelAddressSpaces(MemoryAddressSpace.Global));
            passes.Add(new LowerStructures());
            passes.Add(new DeadCodeElimination());
            passes.Add(new SSAStructureConstruction());
            passes.Add(new InferLocalAddressSpaces());
            passes.Add(new DeadCodeElimination());
            kernelContext.Transform(passes.ToTransformer());
        }

        public void OptimizedKernelContext(IRContext kernelContext, Method kernelMethod)
        {
        }
    }
}
