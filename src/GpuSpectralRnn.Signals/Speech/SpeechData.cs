using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>Recordings as sequences of feature vectors, as long as each is, with the class of each as its label.</summary>
public sealed class SpeechData : ISequenceData
{
    private readonly IReadOnlyList<string> names;
    private readonly IReadOnlyList<float[]> features; // [T_n, F] each, normalised
    private readonly IReadOnlyList<int>? labels;

    /// <summary>Wraps features without a copy.</summary>
    /// <param name="name">Name for messages.</param>
    /// <param name="names">Of the recordings.</param>
    /// <param name="features">Normalised features [T, F] of each.</param>
    /// <param name="width">F.</param>
    /// <param name="labels">Class numbers; null where they are not known.</param>
    /// <param name="classes">Number of classes.</param>
    public SpeechData(string name, IReadOnlyList<string> names, IReadOnlyList<float[]> features, int width, IReadOnlyList<int>? labels, int classes)
    {
        (Name, this.names, this.features, this.labels) = (name, names, features, labels);
        int steps = features.Max(own => own.Length) / width;
        Layout = labels is null ? new SequenceLayout(steps, width) : new SequenceLayout(steps, width, TargetKind.Label, classes);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count => features.Count;

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <inheritdoc/>
    public string? NameOf(int index) => names[index];

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        foreach (int index in indices) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(indices));
        batch.Resize(indices.Length);
        (int size, int width) = (indices.Length, Layout.Features);
        Span<float> inputs = batch.Inputs; // [T, B, F]
        inputs.Clear();
        for (int b = 0; b < size; b++)
        {
            ReadOnlySpan<float> own = features[indices[b]];
            batch.Lengths[b] = own.Length / width;
            for (int t = 0; t < batch.Lengths[b]; t++) own.Slice(t * width, width).CopyTo(inputs[(((t * size) + b) * width)..]);
            if (labels is not null) batch.Labels[b] = labels[indices[b]];
        }
    }
}
