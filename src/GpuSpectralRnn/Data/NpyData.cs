using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Sequences and targets in NPY files. Sets of up to <see cref="MostKept"/> bytes are read at once; of larger ones labels and lengths are, and sequences
/// and target values are read and checked as batches ask for them. Batches are the same.
/// </summary>
public sealed class NpyData : ISequenceData, IDisposable
{
    /// <summary>Most bytes of sequences, as float32, that are kept in memory. Reading others from the system's cache costs some percent of a step.</summary>
    public const long MostKept = 1L << 28;

    // A larger class number without a declared number of classes is a mistake, and a read-out for it would fill the memory.
    private const int MostClasses = 65_536;
    private const int Chunk = 1 << 18; // integers that are read at a time

    private readonly RealRows sequences; // [N, T, I]
    private readonly int[] labels; // [N], or empty
    private readonly RealRows? values; // [N, D]
    private readonly int[] lengths; // [N], or empty: all T

    private NpyData(string name, int count, SequenceLayout layout, RealRows sequences, int[] labels, RealRows? values, int[] lengths)
    {
        (Name, Count, Layout) = (name, count, layout);
        (this.sequences, this.labels, this.values, this.lengths) = (sequences, labels, values, lengths);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Whether the sequences are in memory; else they are read as they are asked for.</summary>
    public bool IsKept => sequences.IsKept;

    /// <summary>What the sequences take as float32.</summary>
    public long Bytes => (long)Count * sequences.Width * sizeof(float);

    /// <summary>
    /// Opens sequences and, if named, targets. Each is a file or a pattern, <c>part-*.npy</c>, for several, which follow each other in natural order.
    /// </summary>
    /// <param name="sequencesPath">float32 (or float64, float16) [N, T, I].</param>
    /// <param name="targetsPath">int32, int64 or uint8 [N]: class labels; float32 or float64 [N, D] or [N]: values; null: no targets.</param>
    /// <param name="classes">Number of classes, where a model or another set fixes it; otherwise the largest label + 1.</param>
    /// <param name="lengthsPath">int32, int64 or uint8 [N]: valid steps of each sequence, counted from the first; null: all T.</param>
    /// <param name="mostKept">Most bytes of sequences that are kept in memory.</param>
    /// <exception cref="InvalidCallException">
    /// A file is missing, a type or shape does not fit, the set is empty, a number of a set that is kept is NaN or infinite, a label is negative or not
    /// below <paramref name="classes"/>, or a length is not one of 1 to T.
    /// </exception>
    /// <exception cref="BrokenFileException">A file is truncated or corrupt.</exception>
    public static NpyData Load(
        string sequencesPath, string? targetsPath = null, int? classes = null, string? lengthsPath = null, long mostKept = MostKept)
    {
        NpySet? x = null, y = null;
        try
        {
            x = NpySet.Open(sequencesPath);
            y = targetsPath is null ? null : NpySet.Open(targetsPath);
            return Load(x, y, classes, lengthsPath, mostKept);
        }
        catch
        {
            x?.Dispose();
            y?.Dispose();
            throw;
        }
    }

    private static NpyData Load(NpySet x, NpySet? y, int? classes, string? lengthsPath, long mostKept)
    {
        if (!x.IsReal)
            throw new InvalidCallException($"{x.Name} holds integers; sequences are float32. Convert with a.astype('float32').");
        if (x.Shape.Rank != 3)
            throw new InvalidCallException($"{x.Name} has the shape {x.Shape}; sequences are [N, T, I] (sequences, steps, inputs per step).");
        if (x.Shape.Count == 0) throw new InvalidCallException($"{x.Name} holds no sequences: {x.Shape}.");
        SequenceLayout layout = new(x.Shape[1], x.Shape[2], TargetKind.None);
        string name = Path.GetFileName(x.Name);
        int count = x.Shape[0];
        int[] lengths = lengthsPath is null ? [] : Lengths(lengthsPath, x);
        RealRows sequences = new(x, lengths, mostKept);
        if (y is null) return new NpyData(name, count, layout, sequences, [], null, lengths);

        if (y.Shape.Rank == 0 || y.Shape[0] != count)
            throw new InvalidCallException(
                $"{y.Name} has the shape {y.Shape} but {x.Name} holds {count} sequences; name files that belong together.");
        CheckParts(x, y);
        if (y.IsReal)
        {
            if (y.Shape.Rank > 2 || y.Shape.Count == 0)
                throw new InvalidCallException($"{y.Name} has the shape {y.Shape}; target values are [N, D].");
            RealRows values = new(y, [], mostKept);
            return new NpyData(name, count, layout with { Targets = [new(TargetKind.Value, values.Width)] }, sequences, [], values, lengths);
        }

        using NpySet integers = y;
        if (y.Shape.Rank != 1) throw new InvalidCallException($"{y.Name} has the shape {y.Shape}; class labels are [N].");
        int most = classes ?? MostClasses;
        int[] labels = Integers(y, 0, most - 1, (label, i) => $"label {label} of sequence {i} is outside 0 to {most - 1}.");
        return new NpyData(
            name, count, layout with { Targets = [new(TargetKind.Label, classes ?? (labels.Max() + 1))] }, sequences, labels, null, lengths);
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
            ReadOnlySpan<float> sequence = sequences.Read(n); // [T, I]
            for (int t = 0; t < steps; t++) sequence.Slice(t * features, features).CopyTo(inputs[(((t * size) + b) * features)..]);
            if (lengths.Length > 0) batch.Lengths[b] = lengths[n];
            if (Layout.Target == TargetKind.Label) batch.Labels[b] = labels[n];
            values?.Read(n).CopyTo(batch.Values[(b * Layout.Outputs)..]);
        }
    }

    /// <inheritdoc/>
    public void Expect(ReadOnlySpan<int> indices)
    {
        sequences.Expect(indices);
        values?.Expect(indices);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        sequences.Dispose();
        values?.Dispose();
    }

    // Where both are of as many files, those in the same place belong together.
    private static void CheckParts(NpySet sequences, NpySet others)
    {
        if (sequences.Files.Count != others.Files.Count) return;
        foreach (((string x, int rows), (string y, int own)) in sequences.Files.Zip(others.Files))
        {
            if (rows != own)
                throw new InvalidCallException($"{x} holds {rows} sequences but {y}, in the same place of its set, is for {own}; name files that belong together.");
        }
    }

    private static int[] Lengths(string path, NpySet sequences)
    {
        using NpySet array = NpySet.Open(path);
        if (array.IsReal) throw new InvalidCallException($"{path} holds real numbers; lengths are integers. Convert with a.astype('int32').");
        if (array.Shape.Rank != 1 || array.Shape[0] != sequences.Shape[0])
            throw new InvalidCallException(
                $"{path} has the shape {array.Shape}; there must be one length for each of the {sequences.Shape[0]} sequences.");
        CheckParts(sequences, array);
        int steps = sequences.Shape[1];
        return Integers(array, 1, steps, (length, i) => $"length {length} of sequence {i} is outside 1 to {steps}.");
    }

    private static int[] Integers(NpySet set, int least, int most, Func<long, int, string> problem)
    {
        int[] integers = new int[set.Shape[0]];
        for (int first = 0; first < integers.Length; first += Chunk)
        {
            Array part = set.Read(first, Math.Min(Chunk, integers.Length - first));
            for (int i = 0; i < part.Length; i++)
            {
                long integer = part switch
                {
                    int[] v => v[i],
                    long[] v => v[i],
                    _ => ((byte[])part)[i],
                };
                if (integer < least || integer > most) throw new InvalidCallException($"{set.Name}: {problem(integer, first + i)}");
                integers[first + i] = (int)integer;
            }
        }

        return integers;
    }
}
