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
/// <param name="Inputs">The first field: Float32 [T, B, I], or Int32 tokens [T, B].</param>
/// <param name="Lengths">Its lengths, Int32 [B]; null where every sequence has T steps (see <see cref="SequenceField.Lengths"/>).</param>
/// <param name="Continues">
/// Whether every row continues its row of the forward call before, from the state in which that ended; no gradient goes back through it. Else all
/// start from zero.
/// </param>
public readonly record struct SequenceBatch(Tensor Inputs, Tensor? Lengths = null, bool Continues = false)
{
    /// <summary>The fields after the first, of graphs that have several; null for none.</summary>
    public IReadOnlyList<SequenceField>? More { get; init; }

    /// <summary>Whether this starts from where the last forward call started, whatever <see cref="Continues"/> says.</summary>
    public bool IsAgain { get; private init; }

    /// <summary>
    /// Whether no call will go on from here, so that the network need not keep its state: sequences that have nothing to do with those of other
    /// batches.
    /// </summary>
    public bool IsWhole { get; init; }

    /// <summary>Number of fields.</summary>
    public int FieldCount => 1 + (More?.Count ?? 0);

    /// <summary>B.</summary>
    public int Size => Inputs.Shape[1];

    /// <summary>
    /// The same batch for another forward call over it: a stream then starts from where the call before did, not from where that ended.
    /// </summary>
    public SequenceBatch Again => this with { IsAgain = true };

    /// <summary>A field by its place in <see cref="Graph.Fields"/>.</summary>
    public SequenceField this[int field] => field == 0 ? new(Inputs, Lengths) : More![field - 1];
}
