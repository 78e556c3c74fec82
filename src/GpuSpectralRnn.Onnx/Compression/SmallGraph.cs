namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>A graph with smaller recurrent nodes.</summary>
/// <param name="File">The ONNX file.</param>
/// <param name="Keep">Units of each layer.</param>
/// <param name="Criterion">The loss that selected the units: states, recurrence or both.</param>
/// <param name="JudgedDifference">Mean absolute difference of the outputs, the worst output, on the sequences that chose between candidates.</param>
/// <param name="Candidates">That difference for every candidate, by the loss that selected its units and what was done then.</param>
public sealed record SmallGraph(
    byte[] File, IReadOnlyList<int> Keep, string Criterion, double JudgedDifference, IReadOnlyList<(string Criterion, double Difference)> Candidates);
