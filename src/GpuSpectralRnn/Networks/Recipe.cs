namespace GpuSpectralRnn.Networks;

/// <summary>What a network is, as its file says it: a small record from which the graph follows.</summary>
public abstract record Recipe
{
    /// <summary>The graph.</summary>
    /// <exception cref="InvalidCallException">The recipe is not valid.</exception>
    public abstract Graph Build();

    /// <summary>One JSON object.</summary>
    public abstract string ToJson();

    /// <summary>The recipe of the same graph over axes of other sizes.</summary>
    /// <param name="sizes">New sizes by the axes' names; the others stay.</param>
    /// <exception cref="InvalidCallException">The recipe cannot say these sizes.</exception>
    public abstract Recipe Resize(IReadOnlyDictionary<string, int> sizes);

    /// <summary>A few words for tables, for example <c>irnn 28-128-10</c>.</summary>
    internal abstract string Title { get; }
}
