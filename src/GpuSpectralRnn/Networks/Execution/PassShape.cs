namespace GpuSpectralRnn.Networks.Execution;

/// <summary>What a forward call asks for: the extents of its fields, and what will follow.</summary>
internal sealed class PassShape
{
    private readonly int[] steps; // of each field
    private readonly int[] characters; // of the words of each field, 0 where it holds none
    private readonly bool[] hasLengths; // of each field

    /// <summary>The shape of a batch.</summary>
    public PassShape(SequenceBatch batch, bool isTraining, bool drops)
    {
        steps = new int[batch.FieldCount];
        characters = new int[batch.FieldCount];
        hasLengths = new bool[batch.FieldCount];
        for (int i = 0; i < steps.Length; i++)
        {
            SequenceField field = batch[i];
            (steps[i], characters[i], hasLengths[i]) = (field.Steps, field.Characters, field.Lengths is not null);
        }

        (Batch, IsTraining, Drops) = (batch.Size, isTraining, drops);
    }

    /// <summary>B.</summary>
    public int Batch { get; }

    /// <summary>Whether it can go backward.</summary>
    public bool IsTraining { get; }

    /// <summary>Whether dropout drops something.</summary>
    public bool Drops { get; }

    /// <summary>The most steps of a field.</summary>
    public int MostSteps => steps.Max();

    /// <summary>T of a field.</summary>
    public int Steps(int field) => steps[field];

    /// <summary>W of a field of characters; 0 of others.</summary>
    public int Characters(int field) => characters[field];

    /// <summary>Whether a field's sequences have lengths.</summary>
    public bool HasLengths(int field) => hasLengths[field];

    /// <summary>Whether it is the shape of a batch; allocates nothing.</summary>
    public bool IsOf(SequenceBatch batch, bool isTraining, bool drops)
    {
        if ((Batch, IsTraining, Drops) != (batch.Size, isTraining, drops)) return false;
        for (int i = 0; i < steps.Length; i++)
        {
            SequenceField field = batch[i];
            if (steps[i] != field.Steps || characters[i] != field.Characters || hasLengths[i] != field.Lengths is not null) return false;
        }

        return true;
    }
}
