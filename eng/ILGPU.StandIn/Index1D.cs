namespace ILGPU;

/// <summary>A position in, or the extent of, one dimension.</summary>
public readonly struct Index1D(int value) : IEquatable<Index1D>
{
    /// <summary>The position.</summary>
    public int X { get; } = value;

    /// <summary>The position as a number.</summary>
    public static implicit operator int(Index1D index) => index.X;

    /// <summary>The number as a position.</summary>
    public static implicit operator Index1D(int value) => new(value);

    /// <inheritdoc/>
    public bool Equals(Index1D other) => X == other.X;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Index1D other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => X;
}
