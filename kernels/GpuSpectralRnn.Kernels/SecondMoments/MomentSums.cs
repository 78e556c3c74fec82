using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>A running sum of weighted products of singles, in about twice their precision.</summary>
/// <typeparam name="TSum">The implementing type.</typeparam>
internal interface IMomentSum<TSum>
    where TSum : unmanaged, IMomentSum<TSum>
{
    /// <summary>sum + w x y.</summary>
    TSum AddProduct(TSum sum, float w, float x, float y);

    /// <summary>sum + other.</summary>
    TSum Add(TSum sum, TSum other);
}

/// <summary>In double precision.</summary>
internal struct DoubleSum : IMomentSum<DoubleSum>
{
    public double Value;

    /// <inheritdoc/>
    public readonly DoubleSum AddProduct(DoubleSum sum, float w, float x, float y)
    {
        sum.Value += (double)w * x * y;
        return sum;
    }

    /// <inheritdoc/>
    public readonly DoubleSum Add(DoubleSum sum, DoubleSum other)
    {
        sum.Value += other.Value;
        return sum;
    }
}

/// <summary>
/// As compensated singles, for devices without double precision. A product and its rounding error are exact (Dekker, Numer. Math. 18, 1971), the
/// halves taken by masking, which no contraction to fused operations can disturb.
/// </summary>
internal struct PairSum : IMomentSum<PairSum>
{
    public CompensatedSum Value;

    /// <inheritdoc/>
    public readonly PairSum AddProduct(PairSum sum, float w, float x, float y)
    {
        float product = x * y;
        float rest = Error(x, y, product);
        if (w != 1f)
        {
            float weighted = w * product;
            rest = w * rest + Error(w, product, weighted);
            product = weighted;
        }

        sum.Value.Add(product);
        sum.Value.Low += rest;
        return sum;
    }

    /// <inheritdoc/>
    public readonly PairSum Add(PairSum sum, PairSum other)
    {
        sum.Value.Add(other.Value);
        return sum;
    }

    // x y - product: the upper halves have 12 bits, the lower ones 12 too, so that every product of halves is exact.
    private static float Error(float x, float y, float product)
    {
        float xHigh = UpperHalf(x);
        float xLow = x - xHigh;
        float yHigh = UpperHalf(y);
        float yLow = y - yHigh;
        return ((xHigh * yHigh - product) + xHigh * yLow + xLow * yHigh) + xLow * yLow;
    }

    private static float UpperHalf(float x) => Interop.IntAsFloat(Interop.FloatAsInt(x) & 0xFFFFF000u);
}

/// <summary>Four sums.</summary>
internal struct MomentRow<TSum>
    where TSum : unmanaged, IMomentSum<TSum>
{
    public TSum X;
    public TSum Y;
    public TSum Z;
    public TSum W;

    /// <summary>Element <paramref name="index"/>, by comparison: an array in registers cannot be indexed.</summary>
    public readonly TSum Element(int index) => index < 2 ? (index == 0 ? X : Y) : index == 2 ? Z : W;

    /// <summary>this += w x y.</summary>
    public void Add(float w, float x, Float4 y)
    {
        X = default(TSum).AddProduct(X, w, x, y.X);
        Y = default(TSum).AddProduct(Y, w, x, y.Y);
        Z = default(TSum).AddProduct(Z, w, x, y.Z);
        W = default(TSum).AddProduct(W, w, x, y.W);
    }
}

/// <summary>A 4 x 4 block of sums, held in registers.</summary>
internal struct MomentTile<TSum>
    where TSum : unmanaged, IMomentSum<TSum>
{
    public MomentRow<TSum> Row0;
    public MomentRow<TSum> Row1;
    public MomentRow<TSum> Row2;
    public MomentRow<TSum> Row3;

    /// <summary>Row <paramref name="index"/>.</summary>
    public readonly MomentRow<TSum> Row(int index) => index < 2 ? (index == 0 ? Row0 : Row1) : index == 2 ? Row2 : Row3;

    /// <summary>Adds w times the outer product of a and b.</summary>
    public void AddOuter(float w, Float4 a, Float4 b)
    {
        Row0.Add(w, a.X, b);
        Row1.Add(w, a.Y, b);
        Row2.Add(w, a.Z, b);
        Row3.Add(w, a.W, b);
    }
}
