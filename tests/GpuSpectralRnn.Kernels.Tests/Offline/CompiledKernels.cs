using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>
/// Compiles kernels to PTX and OpenCL C on a machine without such devices. One context per kernel: a failed compilation spoils its context.
/// </summary>
internal static class CompiledKernels
{
    /// <summary>
    /// The kernel as PTX for an architecture and for the groups that it is launched in, of <paramref name="groupSize"/> threads where its mark states
    /// no size. The instruction set is that of CUDA 11.8, so that its assembler and all later ones take the text.
    /// </summary>
    public static string Ptx(MethodInfo kernel, CudaArchitecture architecture, int groupSize = 256)
    {
        using SourceOrderCompiler compiler = new();
        CudaCapabilityContext capabilities = new(architecture);
        return compiler.Compile(kernel, Specialization(kernel, groupSize), architecture, capabilities, CudaInstructionSet.ISA_78).PTXAssembly;
    }

    /// <summary>The kernel as OpenCL C 3.0.</summary>
    public static string OpenCL(MethodInfo kernel)
    {
        CLCapabilityContext capabilities = new(true, true, true, true, true);
        if (!KernelCatalog.IsImplicitlyGrouped(kernel))
        {
            using SourceOrderCompiler compiler = new();
            return compiler.Compile(kernel, KernelSpecialization.Empty, CLDeviceVendor.Other, capabilities, CLCVersion.CL30).Source;
        }

        using Context context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).EnableAlgorithms());
        using CLBackend backend = new(context, capabilities, CLDeviceVendor.Other, CLCVersion.CL30);
        return ((CLCompiledKernel)backend.Compile(EntryPointDescription.FromImplicitlyGroupedKernel(kernel), KernelSpecialization.Empty)).Source;
    }

    // As KernelLoader has it: ILGPU plans implicitly grouped kernels for groups of any size.
    private static KernelSpecialization Specialization(MethodInfo kernel, int groupSize)
    {
        if (KernelCatalog.IsImplicitlyGrouped(kernel)) return KernelSpecialization.Empty;
        KernelAttribute mark = KernelAttribute.From(kernel);
        return new KernelSpecialization(mark.GroupSize == 0 ? groupSize : mark.GroupSize, mark.GroupsPerMultiprocessor);
    }
}
