using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>What the C source of a network takes.</summary>
/// <param name="Name">What the names of its functions begin with.</param>
/// <param name="WeightBytes">Bytes of constants.</param>
/// <param name="StateBytes">Bytes of the state, one for each sequence that is walked.</param>
/// <param name="StackBytes">Bytes of arrays on the stack of a step.</param>
/// <param name="MultiplyAdds">Multiply-adds of a step, read-out included.</param>
public sealed record CSizes(string Name, long WeightBytes, long StateBytes, long StackBytes, long MultiplyAdds);
