using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Some columns of a row of weights, or the elements of a state which they multiply, in registers. A type for each size: device code keeps a struct
/// in registers, an array only if it unrolls the loops over it, and ILGPU unrolls none.
/// </summary>
internal interface IStrip<TSelf>
    where TSelf : unmanaged
{
    /// <summary>How many quads of columns.</summary>
    static abstract int Quads { get; }

    /// <summary>Takes the quads <paramref name="at"/>, at + step, ...</summary>
    void Load(ArrayView<Float4> view, int at, int step);

    /// <summary><paramref name="sum"/> and the products with the other strip.</summary>
    float Dot(TSelf other, float sum);
}

/// <summary>Four columns.</summary>
internal struct Strip1 : IStrip<Strip1>
{
    public Float4 V;

    public static int Quads => 1;

    public void Load(ArrayView<Float4> view, int at, int step) => V = view[at];

    public readonly float Dot(Strip1 other, float sum)
    {
        sum += V.X * other.V.X;
        sum += V.Y * other.V.Y;
        sum += V.Z * other.V.Z;
        return sum + V.W * other.V.W;
    }
}

/// <summary>Eight columns.</summary>
internal struct Strip2 : IStrip<Strip2>
{
    public Strip1 A;
    public Strip1 B;

    public static int Quads => 2;

    public void Load(ArrayView<Float4> view, int at, int step)
    {
        A.Load(view, at, step);
        B.Load(view, at + step, step);
    }

    public readonly float Dot(Strip2 other, float sum) => B.Dot(other.B, A.Dot(other.A, sum));
}

/// <summary>Sixteen columns.</summary>
internal struct Strip4 : IStrip<Strip4>
{
    public Strip2 A;
    public Strip2 B;

    public static int Quads => 4;

    public void Load(ArrayView<Float4> view, int at, int step)
    {
        A.Load(view, at, step);
        B.Load(view, at + 2 * step, step);
    }

    public readonly float Dot(Strip4 other, float sum) => B.Dot(other.B, A.Dot(other.A, sum));
}

/// <summary>A thread's rows of weights.</summary>
internal interface IRows<TStrip>
    where TStrip : unmanaged, IStrip<TStrip>
{
    /// <summary>How many rows.</summary>
    static abstract int Count { get; }

    /// <summary>Takes strip after strip, of each the rows, <paramref name="step"/> apart.</summary>
    void Load(ArrayView<Float4> view, int at, int step);

    /// <summary>The rows' products with a state, added to <paramref name="sums"/>.</summary>
    Float4 Multiply(TStrip state, Float4 sums);
}

/// <summary>Four rows.</summary>
internal struct Rows4<TStrip> : IRows<TStrip>
    where TStrip : unmanaged, IStrip<TStrip>
{
    public TStrip A;
    public TStrip B;
    public TStrip C;
    public TStrip D;

    public static int Count => 4;

    public void Load(ArrayView<Float4> view, int at, int step)
    {
        A.Load(view, at, 4 * step);
        B.Load(view, at + step, 4 * step);
        C.Load(view, at + 2 * step, 4 * step);
        D.Load(view, at + 3 * step, 4 * step);
    }

    public readonly Float4 Multiply(TStrip state, Float4 sums)
    {
        Float4 result = default;
        result.X = A.Dot(state, sums.X);
        result.Y = B.Dot(state, sums.Y);
        result.Z = C.Dot(state, sums.Z);
        result.W = D.Dot(state, sums.W);
        return result;
    }
}

/// <summary>Three rows; the fourth sum is zero.</summary>
internal struct Rows3<TStrip> : IRows<TStrip>
    where TStrip : unmanaged, IStrip<TStrip>
{
    public TStrip A;
    public TStrip B;
    public TStrip C;

    public static int Count => 3;

    public void Load(ArrayView<Float4> view, int at, int step)
    {
        A.Load(view, at, 3 * step);
        B.Load(view, at + step, 3 * step);
        C.Load(view, at + 2 * step, 3 * step);
    }

    public readonly Float4 Multiply(TStrip state, Float4 sums)
    {
        Float4 result = default;
        result.X = A.Dot(state, sums.X);
        result.Y = B.Dot(state, sums.Y);
        result.Z = C.Dot(state, sums.Z);
        return result;
    }
}

/// <summary>A quad for each of four sequences.</summary>
internal struct Float4x4
{
    public Float4 A;
    public Float4 B;
    public Float4 C;
    public Float4 D;
}
