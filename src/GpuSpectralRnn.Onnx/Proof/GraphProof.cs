using GpuSpectralRnn.Onnx.Compression;

namespace GpuSpectralRnn.Onnx.Proof;

/// <summary>An output of a graph.</summary>
internal sealed record GraphOutput(string Name, bool IsState);

/// <summary>Difference of an output of the smaller graph from the original's.</summary>
/// <param name="Name">Name of the output.</param>
/// <param name="IsState">Whether it goes into the next call.</param>
/// <param name="MaxDifference">Largest absolute difference.</param>
/// <param name="MeanDifference">Mean absolute difference.</param>
/// <param name="Agreement">
/// Fraction of equal decisions: at 0.5 for every number of an output in [0, 1] whose rows do not sum to 1, else the largest of a row of up to
/// [batch, time, classes]; null where nothing is decided.
/// </param>
/// <param name="Choice">The values of the inputs that choose a branch, for example <c>sr=16000</c>; null where there is one way to call.</param>
public sealed record OutputDifference(
    string Name, bool IsState, double MaxDifference, double MeanDifference, double? Agreement, string? Choice = null)
{
    /// <summary>The name, and the choice where there is one.</summary>
    public string Label => Choice is null ? Name : $"{Name} ({Choice})";
}

/// <summary>Comparison of the smaller graph with the original.</summary>
/// <param name="Nodes">The recurrent nodes.</param>
/// <param name="Outputs">On sequences held out.</param>
/// <param name="BytesBefore">Bytes of the original's file.</param>
/// <param name="BytesAfter">Bytes of the smaller file.</param>
/// <param name="MicrosecondsBefore">Microseconds of a call of the original on one thread; NaN where it was not measured.</param>
/// <param name="MicrosecondsAfter">Microseconds of a call of the smaller graph.</param>
/// <param name="HeldOut">Number of held-out sequences.</param>
public sealed record GraphProof(
    IReadOnlyList<CompressedNode> Nodes,
    IReadOnlyList<OutputDifference> Outputs,
    long BytesBefore,
    long BytesAfter,
    double MicrosecondsBefore,
    double MicrosecondsAfter,
    int HeldOut)
{
    /// <summary>The calls that the smaller graph is for; null where it takes what the original takes.</summary>
    public string? SpecialFor { get; init; }
}
