namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>A graph with smaller recurrent nodes.</summary>
/// <param name="File">The ONNX file.</param>
/// <param name="Keep">Units of each layer.</param>
/// <param name="Criterion">The loss that selected the units: states, recurrence or both.</param>
/// <param name="JudgedDifference">Mean absolute difference of the outputs, the worst output, on the sequences that chose between candidates.</param>
public sealed record SmallGraph(byte[] File, IReadOnlyList<int> Keep, string Criterion, double JudgedDifference)
{
    /// <summary>The same before refinement.</summary>
    public required double CutDifference { get; init; }

    /// <summary>The difference of every candidate, by the loss that selected its units and what was done then.</summary>
    public required IReadOnlyList<(string Criterion, double Difference)> Candidates { get; init; }

    /// <summary>Seconds that the refinement took; 0 without one.</summary>
    public double RefinementSeconds { get; init; }
}
