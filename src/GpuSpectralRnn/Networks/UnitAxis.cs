namespace GpuSpectralRnn.Networks;

/// <summary>An extent whose entries are units: a recurrence's hidden states, an embedding's columns, a linear layer's outputs, a field's features.</summary>
/// <param name="Name">Unique in a graph, for example <c>l0_reverse</c>.</param>
/// <param name="Size">Number of units, one or more.</param>
public sealed record UnitAxis(string Name, int Size);
