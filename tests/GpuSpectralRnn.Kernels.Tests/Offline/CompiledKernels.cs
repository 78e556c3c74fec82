#if ILGPU_PACKAGE
using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>Compiles kernels to PTX and OpenCL C on a machine without such devices. One context per kernel: a failed compilation spoils its context.</summary>
internal static class CompiledKernels
{
    /// <summary>The kernel as PTX for an architecture.</summary>
    public static string Ptx(MethodInfo kernel, CudaArchitecture architecture)
    {
        using Context context = CreateContext();
        using PTXBackend backend = new(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_80, null);
        return ((PTXCompiledKernel)backend.Compile(EntryPoint(kernel), KernelSpecialization.Empty)).PTXAssembly;
    }

    /// <summary>The kernel as OpenCL C 3.0.</summary>
    public static string OpenCL(MethodInfo kernel)
    {
        using Context context = CreateContext();
        using CLBackend backend = new(context, new CLCapabilityContext(true, true, true, true, true), CLDeviceVendor.Other, CLCVersion.CL30);
        return ((CLCompiledKernel)backend.Compile(EntryPoint(kernel), KernelSpecialization.Empty)).Source;
    }

    private static Context CreateContext() => Context.Create(builder => builder.Optimize(OptimizationLevel.O2).EnableAlgorithms());

    private static EntryPointDescription EntryPoint(MethodInfo kernel) =>
        KernelCatalog.IsImplicitlyGrouped(kernel) ? EntryPointDescription.FromImplicitlyGroupedKernel(kernel) : EntryPointDescription.FromExplicitlyGroupedKernel(kernel);
}
#endif
