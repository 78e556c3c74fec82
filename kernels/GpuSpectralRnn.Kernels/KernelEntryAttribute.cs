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
}
