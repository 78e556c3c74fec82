using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>One field of a batch.</summary>
/// <param name="Values">Float32 [T, B, F], Int32 tokens [T, B], or Int32 characters of words [W, T, B].</param>
/// <param name="Lengths">
/// Int32 [B], valid steps of each sequence from 0 to T (checked where the data enter); null where every sequence has T steps, which is faster. Beyond
/// its length a sequence does not move a recurrence's state, and nothing there counts. Of characters Int32 [T, B], the valid ones of each word from 0
/// to W, and never null.
/// </param>
public readonly record struct SequenceField(Tensor Values, Tensor? Lengths = null)
{
    /// <summary>T.</summary>
    internal int Steps => Values.Shape[IsCharacters ? 1 : 0];

    /// <summary>W, of characters; 0 of others.</summary>
    internal int Characters => IsCharacters ? Values.Shape[0] : 0;

    private bool IsCharacters => Values.Type == ElementType.Int32 && Values.Shape.Rank == 3;
}

/// <summary>What a network takes in one forward call.</summary>
public readonly record struct SequenceBatch
{
    private readonly SequenceField first;
    private readonly IReadOnlyList<SequenceField>? several;

    /// <summary>A single field.</summary>
    /// <param name="inputs">Float32 [T, B, I], or Int32 tokens [T, B].</param>
    /// <param name="lengths">Its lengths, Int32 [B]; null where every sequence has T steps (see <see cref="SequenceField.Lengths"/>).</param>
    /// <param name="continues">See <see cref="Continues"/>.</param>
    public SequenceBatch(Tensor inputs, Tensor? lengths = null, bool continues = false) => (first, Continues) = (new(inputs, lengths), continues);

    /// <summary>Fields in the order of <see cref="Graph.Fields"/>.</summary>
    /// <param name="fields">One or more; kept, not copied.</param>
    /// <param name="continues">See <see cref="Continues"/>.</param>
    public SequenceBatch(IReadOnlyList<SequenceField> fields, bool continues = false) => (first, several, Continues) = (fields[0], fields, continues);

    /// <summary>
    /// Whether every row continues its row of the forward call before, from the state in which that ended; no gradient goes back through it. Else all
    /// start from zero.
    /// </summary>
    public bool Continues { get; }

    /// <summary>Whether this starts from where the last forward call started, whatever <see cref="Continues"/> says.</summary>
    public bool IsAgain { get; private init; }

    /// <summary>
    /// Whether no call will go on from here, so that the network need not keep its state: sequences that have nothing to do with those of other
    /// batches.
    /// </summary>
    public bool IsWhole { get; init; }

    /// <summary>Number of fields.</summary>
    public int FieldCount => several?.Count ?? 1;

    /// <summary>B.</summary>
    public int Size => first.Values.Shape[1];

    /// <summary>
    /// The same batch for another forward call over it: a stream then starts from where the call before did, not from where that ended.
    /// </summary>
    public SequenceBatch Again => this with { IsAgain = true };

    /// <summary>A field by its place in <see cref="Graph.Fields"/>.</summary>
    public SequenceField this[int field] => several is null ? first : several[field];
}
