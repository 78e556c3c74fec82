using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>
/// Sequences of cosines, x[n, t, i] = cos(0.7 (number of the element)), with the label n mod 3 (at every step (n + t) mod 3), or the target x[n, 0,
/// 0].
/// </summary>
internal sealed class ToyData(int count, TargetKind target = TargetKind.Label, int steps = 5) : ISequenceData
{
    private int reads;

    public string Name { get; init; } = "toy";

    public int Count => count;

    public SequenceLayout Layout { get; } = new(steps, 2, target, target switch { TargetKind.None => 0, TargetKind.Value => 1, _ => 3 });

    /// <summary>From this read on (1-based) every input is NaN; never if 0.</summary>
    public int PoisonedFrom { get; init; }

    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        batch.Resize(indices.Length);
        reads++;
        for (int b = 0; b < indices.Length; b++)
        {
            for (int t = 0; t < steps; t++)
            {
                for (int i = 0; i < 2; i++)
                    batch.Inputs[(((t * indices.Length) + b) * 2) + i] =
                        PoisonedFrom > 0 && reads >= PoisonedFrom ? float.NaN : Input(indices[b], t, i);
                if (target == TargetKind.LabelPerStep) batch.Labels[(t * indices.Length) + b] = (indices[b] + t) % 3;
            }

            if (target == TargetKind.Label) batch.Labels[b] = indices[b] % 3;
            if (target == TargetKind.Value) batch.Values[b] = Input(indices[b], 0, 0);
        }
    }

    private float Input(int n, int t, int i) => (float)Math.Cos(0.7 * ((((n * steps) + t) * 2) + i));
}
