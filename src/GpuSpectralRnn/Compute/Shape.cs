namespace GpuSpectralRnn.Compute;

/// <summary>Extents of a row-major tensor, outermost first. Sequences are time-major: inputs [T, B, I], hidden states [T, B, H].</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly int[]? extents;

    /// <summary>Makes a shape; every extent must be zero or more.</summary>
    /// <exception cref="ArgumentException">An extent is negative.</exception>
    public Shape(params int[] extents)
    {
        foreach (int extent in extents)
        {
            if (extent < 0) throw new ArgumentException($"A shape cannot hold the extent {extent}; extents are zero or more.", nameof(extents));
        }

        this.extents = extents;
    }

    /// <summary>Number of dimensions.</summary>
    public int Rank => extents?.Length ?? 0;

    /// <summary>Number of elements (1 for the empty shape, a scalar).</summary>
    public long Count
    {
        get
        {
            long count = 1;
            for (int i = 0; i < Rank; i++) count *= extents![i];
            return count;
        }
    }

    /// <summary>The last extent: the width of the matrix [Rows, Columns] that this tensor also is (1 for a scalar).</summary>
    public int Columns => Rank == 0 ? 1 : extents![^1];

    /// <summary>The product of all extents but the last.</summary>
    public int Rows => Rank == 0 ? 1 : checked((int)(Columns == 0 ? extents!.SkipLast(1).Aggregate(1L, (a, b) => a * b) : Count / Columns));

    /// <summary>The extent of dimension <paramref name="dimension"/>.</summary>
    public int this[int dimension] => extents![dimension];

    /// <summary>The extents as a new array.</summary>
    public int[] ToArray() => extents is null ? [] : [.. extents];

    /// <inheritdoc/>
    public bool Equals(Shape other) => (extents ?? []).AsSpan().SequenceEqual(other.extents ?? []);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int extent in extents ?? []) hash.Add(extent);
        return hash.ToHashCode();
    }

    /// <summary>Equality of all extents.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Inequality of any extent.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>For example <c>[28, 64, 128]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", extents ?? [])}]";
}
