using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>Sequences and targets in NPY files.</summary>
public sealed class NpyData : ISequenceData
{
    // A larger class number without a declared number of classes is a mistake, and a read-out for it would fill the memory.
    private const int MostClasses = 65_536;

    private readonly float[] sequences; // [N, T, I]
    private readonly int[] labels; // [N], or empty
    private readonly float[] values; // [N, D], or empty

    private NpyData(string name, SequenceLayout layout, float[] sequences, int[] labels, float[] values)
    {
        Name = name;
        Layout = layout;
        this.sequences = sequences;
        this.labels = labels;
        this.values = values;
        Count = sequences.Length / (layout.Steps * layout.Features);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Loads sequences and, if named, targets.</summary>
    /// <param name="sequencesPath">float32 (or float64) [N, T, I].</param>
    /// <param name="targetsPath">int32, int64 or uint8 [N]: class labels; float32 or float64 [N, D] or [N]: values; null: no targets.</param>
    /// <param name="classes">Number of classes, where a model or another set fixes it; otherwise the largest label + 1.</param>
    /// <exception cref="InvalidCallException">
    /// A file is missing, a type or shape does not fit, the set is empty, a number is NaN or infinite, or a label is negative or not below <paramref
    /// name="classes"/>.
    /// </exception>
    /// <exception cref="BrokenFileException">A file is truncated or corrupt.</exception>
    public static NpyData Load(string sequencesPath, string? targetsPath = null, int? classes = null)
    {
        NamedArray x = NpyFile.Read(sequencesPath);
        float[] sequences = FiniteNumbers(x)
            ?? throw new InvalidCallException($"{sequencesPath} holds integers; sequences are float32. Convert with a.astype('float32').");
        if (x.Shape.Rank != 3)
            throw new InvalidCallException($"{sequencesPath} has the shape {x.Shape}; sequences are [N, T, I] (sequences, steps, inputs per step).");
        if (x.Shape.Count == 0) throw new InvalidCallException($"{sequencesPath} holds no sequences: {x.Shape}.");
        SequenceLayout layout = new(x.Shape[1], x.Shape[2], TargetKind.None, 0);
        string name = Path.GetFileName(sequencesPath);
        if (targetsPath is null) return new NpyData(name, layout, sequences, [], []);

        NamedArray y = NpyFile.Read(targetsPath);
        if (y.Shape.Rank == 0 || y.Shape[0] != x.Shape[0])
            throw new InvalidCallException(
                $"{targetsPath} has the shape {y.Shape} but {sequencesPath} holds {x.Shape[0]} sequences; name files that belong together.");
        if (FiniteNumbers(y) is { } values)
        {
            if (y.Shape.Rank > 2 || y.Shape.Count == 0)
                throw new InvalidCallException($"{targetsPath} has the shape {y.Shape}; target values are [N, D].");
            return new NpyData(name, layout with { Target = TargetKind.Value, Outputs = values.Length / x.Shape[0] }, sequences, [], values);
        }

        if (y.Shape.Rank != 1) throw new InvalidCallException($"{targetsPath} has the shape {y.Shape}; class labels are [N].");
        int[] labels = Labels(y, classes ?? MostClasses);
        return new NpyData(name, layout with { Target = TargetKind.Label, Outputs = classes ?? (labels.Max() + 1) }, sequences, labels, []);
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        int size = indices.Length;
        int features = Layout.Features;
        int steps = Layout.Steps;
        Span<float> inputs = batch.Inputs; // [T, B, I]
        for (int b = 0; b < size; b++)
        {
            int n = indices[b];
            ReadOnlySpan<float> sequence = sequences.AsSpan(n * steps * features, steps * features);
            for (int t = 0; t < steps; t++) sequence.Slice(t * features, features).CopyTo(inputs[(((t * size) + b) * features)..]);
            if (Layout.Target == TargetKind.Label) batch.Labels[b] = labels[n];
            if (Layout.Target == TargetKind.Value) values.AsSpan(n * Layout.Outputs, Layout.Outputs).CopyTo(batch.Values[(b * Layout.Outputs)..]);
        }
    }

    /// <summary>The array as floats, all finite; null if it holds integers.</summary>
    private static float[]? FiniteNumbers(NamedArray array)
    {
        float[]? numbers = array.Values switch
        {
            float[] single => single,
            double[] twice => Array.ConvertAll(twice, v => (float)v),
            _ => null,
        };
        int wrong = numbers is null ? -1 : Array.FindIndex(numbers, v => !float.IsFinite(v));
        if (wrong >= 0)
            throw new InvalidCallException(
                $"{array.Name}: the value at {Place(array.Shape, wrong)} is {array.Values.GetValue(wrong)}, not a finite float32; clean the data.");
        return numbers;
    }

    private static int[] Labels(NamedArray array, int classes)
    {
        int[] labels = new int[array.Values.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            long label = array.Values switch
            {
                int[] v => v[i],
                long[] v => v[i],
                _ => array.As<byte>()[i],
            };
            if (label < 0 || label >= classes)
                throw new InvalidCallException($"{array.Name}: label {label} of sequence {i} is outside 0 to {classes - 1}.");
            labels[i] = (int)label;
        }

        return labels;
    }

    /// <summary>The indices of element <paramref name="element"/>, for example <c>[3, 0, 1]</c>.</summary>
    private static string Place(Shape shape, long element)
    {
        long[] place = new long[shape.Rank];
        for (int d = shape.Rank - 1; d >= 0; d--) (element, place[d]) = Math.DivRem(element, shape[d]);
        return $"[{string.Join(", ", place)}]";
    }
}
