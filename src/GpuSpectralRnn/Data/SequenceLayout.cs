namespace GpuSpectralRnn.Data;

/// <summary>Kind of target of a data set.</summary>
public enum TargetKind
{
    /// <summary>Nothing: inputs only (predict, spectrum, prune).</summary>
    None,

    /// <summary>One class label per sequence.</summary>
    Label,

    /// <summary>One class label per step (the copy task, language models).</summary>
    LabelPerStep,

    /// <summary>A vector of real numbers per sequence.</summary>
    Value,
}

/// <summary>What every sequence of one field of a data set has in common.</summary>
/// <param name="Name">Its name; networks that read several fields tell them apart by it.</param>
/// <param name="Steps">T.</param>
/// <param name="Features">I, inputs per step; 1 of tokens and characters.</param>
/// <param name="Vocabulary">V: every step is one token of 0..V-1; 0 of real numbers.</param>
public readonly record struct FieldLayout(string Name, int Steps, int Features, int Vocabulary = 0)
{
    /// <summary>
    /// W: every step is a word of up to W characters of 0..V-1, and the field spells the words of another that has the same T and lengths; 0 where a step
    /// is one token or real numbers.
    /// </summary>
    public int Characters { get; init; }

    /// <summary>Numbers per sequence.</summary>
    internal long Extent => (long)Steps * Math.Max(1, Characters) * Features;
}

/// <summary>What is asked of a network, of every sequence.</summary>
/// <param name="Kind">What each target is.</param>
/// <param name="Outputs">Number of classes, or D, the extent of the target vector.</param>
public readonly record struct TargetLayout(TargetKind Kind, int Outputs);

/// <summary>Extents and kinds common to all sequences of a data set.</summary>
/// <param name="Fields">The inputs, one or more.</param>
/// <param name="Targets">What is asked for, in the order of the network's outputs; none of inputs only.</param>
public sealed record SequenceLayout(IReadOnlyList<FieldLayout> Fields, IReadOnlyList<TargetLayout> Targets)
{
    /// <summary>Sequences of a single field, with at most one target.</summary>
    /// <param name="Steps">T.</param>
    /// <param name="Features">I, inputs per step; 1 of tokens.</param>
    /// <param name="Target">What is asked for.</param>
    /// <param name="Outputs">Number of classes, or extent of the target vector; 0 without targets.</param>
    /// <param name="Vocabulary">V: every step is one token of 0..V-1; 0 of real numbers.</param>
    public SequenceLayout(int Steps, int Features, TargetKind Target = TargetKind.None, int Outputs = 0, int Vocabulary = 0)
        : this([new FieldLayout("input", Steps, Features, Vocabulary)], Target == TargetKind.None ? [] : [new TargetLayout(Target, Outputs)])
    {
    }

    /// <summary>T of the first field.</summary>
    public int Steps => Fields[0].Steps;

    /// <summary>I of the first field.</summary>
    public int Features => Fields[0].Features;

    /// <summary>V of the first field; 0 where it holds real numbers.</summary>
    public int Vocabulary => Fields[0].Vocabulary;

    /// <summary>Kind of the first target.</summary>
    public TargetKind Target => Targets.Count == 0 ? TargetKind.None : Targets[0].Kind;

    /// <summary>Classes or extent of the first target; 0 without targets.</summary>
    public int Outputs => Targets.Count == 0 ? 0 : Targets[0].Outputs;

    /// <summary>
    /// Whether each sequence continues the one before: one long text cut into windows of <see cref="Steps"/> steps, of which the last may be shorter.
    /// Such data are read in columns (see <see cref="BatchReader"/>), where the index -1 stands for nothing: length 0, tokens and inputs 0, labels
    /// -1.
    /// </summary>
    public bool IsStream { get; init; }

    /// <summary>Whether all extents and kinds are the same.</summary>
    public bool Equals(SequenceLayout? other) =>
        other is not null && IsStream == other.IsStream && Fields.SequenceEqual(other.Fields) && Targets.SequenceEqual(other.Targets);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Fields[0], Fields.Count, Targets.Count, IsStream);
}
