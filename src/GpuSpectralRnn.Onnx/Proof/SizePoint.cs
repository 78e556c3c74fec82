namespace GpuSpectralRnn.Onnx.Proof;

/// <summary>Cost and gain of one size.</summary>
/// <param name="Keep">Units of each layer.</param>
/// <param name="Proof">On the sequences held out.</param>
public sealed record SizePoint(IReadOnlyList<int> Keep, GraphProof Proof)
{
    /// <summary>As <see cref="Pruning.KeepSize.Parse"/> reads it: <c>64</c> or <c>64x32</c>.</summary>
    public string Size => string.Join('x', Keep);
}
