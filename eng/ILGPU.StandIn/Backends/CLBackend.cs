using System.Reflection;
using ILGPU.Backends.EntryPoints;
using ILGPU.Runtime;

namespace ILGPU.Backends.EntryPoints
{
    /// <summary>What is to be compiled.</summary>
    public readonly struct EntryPointDescription
    {
        /// <summary>An explicitly grouped kernel.</summary>
        public static EntryPointDescription FromExplicitlyGroupedKernel(MethodInfo methodSource) => default;
    }
}

namespace ILGPU.Backends
{
    /// <summary>A compiled kernel.</summary>
    public abstract class CompiledKernel
    {
        private protected CompiledKernel()
        {
        }
    }
}

namespace ILGPU.Backends.OpenCL
{
    /// <summary>A kernel as OpenCL C; the stand-in makes none.</summary>
    public abstract class CLCompiledKernel : CompiledKernel
    {
        private CLCompiledKernel()
        {
        }

        /// <summary>The text.</summary>
        public string Source { get; } = string.Empty;
    }

    /// <summary>The compiler to OpenCL C; the stand-in has none.</summary>
    public abstract class CLBackend
    {
        private CLBackend()
        {
        }

        /// <summary>Compiles a kernel.</summary>
        public CompiledKernel Compile(in EntryPointDescription entry, in KernelSpecialization specialization) =>
            throw new NotSupportedException("The stand-in for ILGPU has no OpenCL.");
    }
}
