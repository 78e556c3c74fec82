using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Four numbers.</summary>
internal struct Float4
{
    public float X;
    public float Y;
    public float Z;
    public float W;

    /// <summary>Element <paramref name="index"/>, by comparison: an array in registers cannot be indexed.</summary>
    public readonly float Element(int index) => index < 2 ? (index == 0 ? X : Y) : index == 2 ? Z : W;

    /// <summary>s times these.</summary>
    public readonly Float4 Times(float s)
    {
        Float4 quad = default;
        quad.X = s * X;
        quad.Y = s * Y;
        quad.Z = s * Z;
        quad.W = s * W;
        return quad;
    }

    /// <summary>The first <paramref name="count"/> of these, and zeros.</summary>
    public readonly Float4 Least(int count)
    {
        Float4 quad = default;
        quad.X = count > 0 ? X : 0f;
        quad.Y = count > 1 ? Y : 0f;
        quad.Z = count > 2 ? Z : 0f;
        quad.W = count > 3 ? W : 0f;
        return quad;
    }

    /// <summary>this += s v.</summary>
    public void Add(float s, Float4 v)
    {
        X += s * v.X;
        Y += s * v.Y;
        Z += s * v.Z;
        W += s * v.W;
    }
}

/// <summary>Four places in a view.</summary>
internal struct QuadIndices
{
    public int X;
    public int Y;
    public int Z;
    public int W;

    /// <summary>
    /// Rows or columns first, first + step, ... of a matrix whose neighbours lie <paramref name="stride"/> apart; beyond the last one, the last
    /// again.
    /// </summary>
    public static QuadIndices Create(int first, int step, int count, int stride)
    {
        int last = count - 1;
        QuadIndices places = default;
        places.X = Least(first, last) * stride;
        places.Y = Least(first + step, last) * stride;
        places.Z = Least(first + 2 * step, last) * stride;
        places.W = Least(first + 3 * step, last) * stride;
        return places;
    }

    /// <summary>The four elements <paramref name="offset"/> behind these places.</summary>
    public Float4 Load(ArrayView<float> view, int offset)
    {
        Float4 quad = default;
        quad.X = view[X + offset];
        quad.Y = view[Y + offset];
        quad.Z = view[Z + offset];
        quad.W = view[W + offset];
        return quad;
    }

    private static int Least(int a, int b) => a < b ? a : b;
}

/// <summary>A 4 x 4 block of a product, held in registers.</summary>
internal struct RegisterTile
{
    public Float4 Row0;
    public Float4 Row1;
    public Float4 Row2;
    public Float4 Row3;

    /// <summary>Row <paramref name="index"/>.</summary>
    public readonly Float4 Row(int index) => index < 2 ? (index == 0 ? Row0 : Row1) : index == 2 ? Row2 : Row3;

    /// <summary>Adds the outer product of a column of the left factor and a row of the right one.</summary>
    public void AddOuter(Float4 a, Float4 b)
    {
        Row0.Add(a.X, b);
        Row1.Add(a.Y, b);
        Row2.Add(a.Z, b);
        Row3.Add(a.W, b);
    }

    /// <summary>The product of two matrices' lines: sum_k a[rows + k aStep] b[columns + k bStep] for k of [from, to).</summary>
    public static RegisterTile Product(
        ArrayView<float> a, QuadIndices rows, int aStep, ArrayView<float> b, QuadIndices columns, int bStep, int from, int to)
    {
        RegisterTile tile = default;
        for (int k = from; k < to; k++) tile.AddOuter(rows.Load(a, k * aStep), columns.Load(b, k * bStep));
        return tile;
    }
}
