namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Marks a method that devices launch. A method whose first parameter is an Index1D is implicitly grouped, any other explicitly. A generic kernel
/// names the types that close its type parameters, in turn: with two parameters, two types make one kernel.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelEntryAttribute(params Type[] instances) : Attribute
{
    /// <summary>The type arguments of a generic kernel, as many for each instance as it has parameters; empty otherwise.</summary>
    public IReadOnlyList<Type> Instances { get; } = instances;

    /// <summary>
    /// For a kernel with inline PTX: the least compute capability, 80 for 8.0, of the CUDA devices that have its instructions; no other device can run it.
    /// 0 for a kernel of every device.
    /// </summary>
    public int CudaCapability { get; init; }
}
