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
    private readonly int[] lengths; // [N], or empty: all T

    private NpyData(string name, SequenceLayout layout, float[] sequences, int[] labels, float[] values, int[] lengths)
    {
        Name = name;
        Layout = layout;
        this.sequences = sequences;
        this.labels = labels;
        this.values = values;
        this.lengths = lengths;
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
    /// <param name="lengthsPath">int32, int64 or uint8 [N]: valid steps of each sequence, counted from the first; null: all T.</param>
    /// <exception cref="InvalidCallException">
    /// A file is missing, a type or shape does not fit, the set is empty, a number is NaN or infinite, a label is negative or not below <paramref
    /// name="classes"/>, or a length is not one of 1 to T.
    /// </exception>
    /// <exception cref="BrokenFileException">A file is truncated or corrupt.</exception>
    public static NpyData Load(string sequencesPath, string? targetsPath = null, int? classes = null, string? lengthsPath = null)
    {
        NamedArray x = NpyFile.Read(sequencesPath);
        if (x.Values is not (float[] or double[]))
            throw new InvalidCallException($"{sequencesPath} holds integers; sequences are float32. Convert with a.astype('float32').");
        if (x.Shape.Rank != 3)
            throw new InvalidCallException($"{sequencesPath} has the shape {x.Shape}; sequences are [N, T, I] (sequences, steps, inputs per step).");
        if (x.Shape.Count == 0) throw new InvalidCallException($"{sequencesPath} holds no sequences: {x.Shape}.");
        SequenceLayout layout = new(x.Shape[1], x.Shape[2], TargetKind.None);
        string name = Path.GetFileName(sequencesPath);
        int[] lengths = lengthsPath is null ? [] : Lengths(lengthsPath, x);
        ClearPadding(x, lengths);
        float[] sequences = FiniteNumbers(x)!;
        if (targetsPath is null) return new NpyData(name, layout, sequences, [], [], lengths);

        NamedArray y = NpyFile.Read(targetsPath);
        if (y.Shape.Rank == 0 || y.Shape[0] != x.Shape[0])
            throw new InvalidCallException(
                $"{targetsPath} has the shape {y.Shape} but {sequencesPath} holds {x.Shape[0]} sequences; name files that belong together.");
        if (FiniteNumbers(y) is { } values)
        {
            if (y.Shape.Rank > 2 || y.Shape.Count == 0)
                throw new InvalidCallException($"{targetsPath} has the shape {y.Shape}; target values are [N, D].");
            return new NpyData(name, layout with { Targets = [new(TargetKind.Value, values.Length / x.Shape[0])] }, sequences, [], values, lengths);
        }

        if (y.Shape.Rank != 1) throw new InvalidCallException($"{targetsPath} has the shape {y.Shape}; class labels are [N].");
        int most = classes ?? MostClasses;
        int[] labels = Integers(y, 0, most - 1, (label, i) => $"label {label} of sequence {i} is outside 0 to {most - 1}.");
        return new NpyData(name, layout with { Targets = [new(TargetKind.Label, classes ?? (labels.Max() + 1))] }, sequences, labels, [], lengths);
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
            if (lengths.Length > 0) batch.Lengths[b] = lengths[n];
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

    // What stands beyond a sequence's length may be anything, NaN too.
    private static void ClearPadding(NamedArray x, int[] lengths)
    {
        (int steps, int features) = (x.Shape[1], x.Shape[2]);
        for (int n = 0; n < lengths.Length; n++) Array.Clear(x.Values, ((n * steps) + lengths[n]) * features, (steps - lengths[n]) * features);
    }

    private static int[] Lengths(string path, NamedArray sequences)
    {
        NamedArray array = NpyFile.Read(path);
        if (array.Values is float[] or double[])
            throw new InvalidCallException($"{path} holds real numbers; lengths are integers. Convert with a.astype('int32').");
        if (array.Shape.Rank != 1 || array.Shape[0] != sequences.Shape[0])
            throw new InvalidCallException(
                $"{path} has the shape {array.Shape}; there must be one length for each of the {sequences.Shape[0]} sequences.");
        int steps = sequences.Shape[1];
        return Integers(array, 1, steps, (length, i) => $"length {length} of sequence {i} is outside 1 to {steps}.");
    }

    private static int[] Integers(NamedArray array, int least, int most, Func<long, int, string> problem)
    {
        int[] integers = new int[array.Values.Length];
        for (int i = 0; i < integers.Length; i++)
        {
            long integer = array.Values switch
            {
                int[] v => v[i],
                long[] v => v[i],
                _ => array.As<byte>()[i],
            };
            if (integer < least || integer > most) throw new InvalidCallException($"{array.Name}: {problem(integer, i)}");
            integers[i] = (int)integer;
        }

        return integers;
    }

    /// <summary>The indices of element <paramref name="element"/>, for example <c>[3, 0, 1]</c>.</summary>
    private static string Place(Shape shape, long element)
    {
        long[] place = new long[shape.Rank];
        for (int d = shape.Rank - 1; d >= 0; d--) (element, place[d]) = Math.DivRem(element, shape[d]);
        return $"[{string.Join(", ", place)}]";
    }
}
