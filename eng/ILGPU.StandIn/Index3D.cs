namespace ILGPU;

/// <summary>A position in, or the extent of, two dimensions.</summary>
public readonly struct Index2D(int x, int y)
{
    /// <summary>First, fastest.</summary>
    public int X { get; } = x;

    /// <summary>Second.</summary>
    public int Y { get; } = y;
}

/// <summary>A position in, or the extent of, three dimensions.</summary>
public readonly struct Index3D(int x, int y, int z)
{
    /// <summary>First, fastest.</summary>
    public int X { get; } = x;

    /// <summary>Second.</summary>
    public int Y { get; } = y;

    /// <summary>Third, slowest.</summary>
    public int Z { get; } = z;

    /// <summary>Number of elements of this extent.</summary>
    public int Size => checked(X * Y * Z);
}
