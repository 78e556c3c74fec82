namespace GpuSpectralRnn.Networks;

/// <summary>What flows along an edge of a graph.</summary>
public enum ValueKind
{
    /// <summary>Int32 [T, B].</summary>
    Tokens,

    /// <summary>Int32 [W, T, B]: the characters of words; of a field only.</summary>
    Characters,

    /// <summary>Float32 [T, B, F].</summary>
    Sequence,

    /// <summary>Float32 [B, F].</summary>
    Vector,

    /// <summary>Float32 [B, T]: logits of the steps of a field, masked beyond a sequence's length; of outputs.</summary>
    Scores,
}

/// <summary>One value of a graph: a field, or what a module gives.</summary>
/// <param name="Name">The field's or the module's name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Field">The field whose steps T and lengths it has; null of a vector.</param>
/// <param name="Units">The axes that its last extent F consists of, side by side; none of tokens.</param>
public sealed record Value(string Name, ValueKind Kind, string? Field, IReadOnlyList<UnitAxis> Units)
{
    /// <summary>F.</summary>
    public int Width => Units.Sum(axis => axis.Size);

    /// <summary>The axes with the places of their first units in F.</summary>
    public IEnumerable<(UnitAxis Axis, int First)> Parts
    {
        get
        {
            int first = 0;
            foreach (UnitAxis axis in Units)
            {
                yield return (axis, first);
                first += axis.Size;
            }
        }
    }

    /// <summary>V, of tokens and characters.</summary>
    public int Vocabulary { get; init; }

    /// <summary>
    /// Whether its numbers beyond a sequence's length are zero whatever the fields hold there, and its gradient there counts for nothing.
    /// </summary>
    internal bool IsClear { get; init; }

    /// <summary>For example <c>sequence l0 of 128</c>: for messages.</summary>
    public override string ToString() => $"{Kind.Name()} {Name} of {(Kind is ValueKind.Tokens or ValueKind.Characters ? Vocabulary : Width)}";
}

/// <summary>What a graph is fed with.</summary>
public sealed record Field
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>V, of tokens or characters 0..V-1; 0 of real numbers.</summary>
    public int Vocabulary { get; init; }

    /// <summary>The axis of its features; null of tokens.</summary>
    public string? Axis { get; init; }

    /// <summary>
    /// A field before this one, whose words it spells: then this one is characters [W, T, B] with the other's T and B. Null of all other fields.
    /// </summary>
    public string? CharactersOf { get; init; }
}
