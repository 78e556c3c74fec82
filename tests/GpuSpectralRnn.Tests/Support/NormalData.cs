using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>Sequences of standard normal numbers; labels, where wanted, are n mod classes, targets the first inputs.</summary>
internal sealed class NormalData(int count, int steps, int features, TargetKind target = TargetKind.None, int outputs = 0) : ISequenceData
{
    private readonly float[] values = Numbers.Normal((long)count * steps * features, 77);

    public string Name => "normal";

    public int Count => count;

    public SequenceLayout Layout { get; } = new(steps, features, target, outputs);

    /// <summary>All inputs, time-major [T, N, I].</summary>
    public double[] TimeMajor()
    {
        Batch batch = new(Layout, count);
        Read([.. Enumerable.Range(0, count)], batch);
        return batch.Inputs.ToArray().ToDoubles();
    }

    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        batch.Resize(indices.Length);
        for (int b = 0; b < indices.Length; b++)
        {
            for (int t = 0; t < steps; t++)
                values.AsSpan((indices[b] * steps + t) * features, features).CopyTo(batch.Inputs[((t * indices.Length + b) * features)..]);
            if (target == TargetKind.Label) batch.Labels[b] = indices[b] % outputs;
            if (target == TargetKind.LabelPerStep)
                for (int t = 0; t < steps; t++) batch.Labels[t * indices.Length + b] = (indices[b] + t) % outputs;
            for (int d = 0; target == TargetKind.Value && d < outputs; d++)
                batch.Values[b * outputs + d] = values[indices[b] * steps * features + d % features];
        }
    }
}
