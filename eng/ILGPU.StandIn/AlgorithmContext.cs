namespace ILGPU;

/// <summary>Mathematical functions for kernels.</summary>
public static class AlgorithmContext
{
    /// <summary>Switches the functions on; here they always are.</summary>
    public static Context.Builder EnableAlgorithms(this Context.Builder builder) => builder;
}
