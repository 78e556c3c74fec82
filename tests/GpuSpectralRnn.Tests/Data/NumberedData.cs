using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data;

/// <summary>Sequences which show nothing but their own number.</summary>
internal sealed class NumberedData(int count) : ISequenceData
{
    public string Name => "numbers";

    public int Count => count;

    public SequenceLayout Layout { get; } = new(1, 1, TargetKind.Label, Math.Max(1, count));

    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        batch.Resize(indices.Length);
        indices.CopyTo(batch.Labels);
        for (int i = 0; i < indices.Length; i++) batch.Inputs[i] = indices[i];
    }
}
