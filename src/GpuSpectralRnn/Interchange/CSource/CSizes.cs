using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>Memory and arithmetic of the C source of a network.</summary>
/// <param name="Name">Prefix of its functions' names.</param>
/// <param name="WeightBytes">Bytes of constants.</param>
/// <param name="StateBytes">Bytes of the state of one sequence.</param>
/// <param name="StackBytes">Bytes of a step's arrays on the stack.</param>
/// <param name="MultiplyAdds">Multiply-adds of a step, read-out included.</param>
public sealed record CSizes(string Name, long WeightBytes, long StateBytes, long StackBytes, long MultiplyAdds);
