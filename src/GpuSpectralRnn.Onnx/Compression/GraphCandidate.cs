namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>A smaller graph that may be chosen.</summary>
/// <param name="Plans">The plan of every layer; null where it keeps all units.</param>
/// <param name="File">The graph.</param>
/// <param name="Criterion">What its units were chosen by, and how it was refined.</param>
/// <param name="Difference">The largest mean difference of an output on the sequences held out for the choice; infinite where one is NaN.</param>
internal sealed record GraphCandidate(NodePlan?[] Plans, byte[] File, string Criterion, double Difference);
