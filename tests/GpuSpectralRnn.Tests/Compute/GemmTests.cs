using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

public abstract class GemmTests(DeviceFixture device) : GemmChecks(device)
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 },
        { 1, 2, 3 },
        { 3, 1, 2 },
        { 2, 3, 1 },
        { 7, 5, 11 },
        { 15, 16, 17 },
        { 31, 33, 32 },
        { 63, 65, 64 },
        { 65, 31, 129 },
        { 8, 32, 300 },
        { 127, 128, 2 },
        { 443, 3, 29 },
        { 3, 443, 29 },
        { 2, 3, 443 },
        { 64, 10, 128 },
        { 130, 150, 260 },
        { 13, 42, 42 },
        { 9, 48, 5 },
        { 1, 31, 129 },
        { 1, 443, 135 },
        { 1, 64, 262 },
    };

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void Agrees_with_the_definition(int m, int n, int k)
    {
        foreach ((bool transposeA, bool transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
            Check(m, n, k, transposeA, transposeB);
    }

    [SkippableFact]
    public void Folds_the_leading_extents_and_takes_views()
    {
        Tensor memory = Make(Factor(3 + 2 * 3 * 4, 1), 3 + 2 * 3 * 4);
        Tensor x = memory.View(3, 2, 3, 4); // [2, 3, 4]: six rows of four
        Tensor w = Make(Factor(5 * 4, 2), 5, 4);
        Tensor y = Garbage(6, 5);
        Backend.Matrix.Gemm(new(false, true, 1, x, w, 0, y));
        double[] expected = ReferenceMatrix.Gemm(6, 5, 4, 1, memory.ToArray()[3..].ToDoubles(), false, w.ToArray().ToDoubles(), true);
        Close.Equal(expected, y, 1e-6, 2e-6); // as above with k 4
    }

    [SkippableFact]
    public void An_empty_inner_extent_leaves_beta_c()
    {
        Tensor c = Make([1f, 2, 3, 4, 5, 6], 2, 3);
        Backend.Matrix.Gemm(new(false, false, 1, Zeros(2, 0), Zeros(0, 3), 2, c));
        Assert.Equal([2f, 4, 6, 8, 10, 12], c.ToArray());
    }

    [SkippableFact]
    public void Gives_the_same_bits_again()
    {
        Tensor a = Random(1, 130, 1000); // K in slices
        Tensor b = Random(2, 1000, 150);
        Tensor first = Garbage(130, 150);
        Tensor second = Garbage(130, 150);
        Backend.Matrix.Gemm(new(false, false, 1, a, b, 0, first));
        Backend.Matrix.Gemm(new(false, false, 1, a, b, 0, second));
        Assert.Equal(first.ToArray(), second.ToArray());
    }

    [SkippableFact]
    public void Refuses_operands_that_do_not_fit()
    {
        IMatrixOps matrix = Backend.Matrix;
        Tensor a = Zeros(2, 3);
        Assert.Throws<ArgumentException>(() => matrix.Gemm(new(false, false, 1, a, Zeros(2, 3), 0, Zeros(2, 3)))); // inner extents
        Assert.Throws<ArgumentException>(() => matrix.Gemm(new(false, true, 1, a, Zeros(2, 3), 0, Zeros(2, 3)))); // C is [2, 2]
        Assert.Throws<ArgumentException>(() => matrix.Gemm(new(true, false, 1, a, Zeros(2, 3), 0, a))); // C is A
        Assert.Throws<ArgumentException>(() => matrix.Gemm(new(false, true, 1, a, Zeros(2, 3), 0, a.View(2, 2, 2)))); // C overlaps A
        Tensor integers = Own(Backend.Allocate(new Shape(3, 2), ElementType.Int32));
        Assert.Throws<ArgumentException>(() => matrix.Gemm(new(false, false, 1, a, integers, 0, Zeros(2, 2))));
        Assert.Throws<InvalidOperationException>(() => matrix.Gemm(new(false, false, 1, a, Foreign(3, 2), 0, Zeros(2, 2))));
        Assert.Throws<ObjectDisposedException>(() => matrix.Gemm(new(false, false, 1, a, Disposed(3, 2), 0, Zeros(2, 2))));
    }
}

/// <summary>How tests of the product hold it against its definition.</summary>
public abstract class GemmChecks(DeviceFixture device) : OperationTests(device)
{
    /// <summary>How far a sum of k products of unit normal numbers may be off, for each of them: rounding grows as 6e-8 k; five times that.</summary>
    protected virtual double ErrorPerProduct => 3e-7;

    /// <summary>Unit normal numbers for a factor.</summary>
    protected virtual float[] Factor(long count, int seed) => Numbers.Normal(count, seed);

    /// <summary>op(A) op(B), added to C and written over it.</summary>
    protected void Check(int m, int n, int k, bool transposeA, bool transposeB)
    {
        float[] a = Factor((long)m * k, 1), b = Factor((long)k * n, 2), c = Numbers.Normal((long)m * n, 3);
        Tensor left = transposeA ? Make(a, k, m) : Make(a, m, k), right = transposeB ? Make(b, n, k) : Make(b, k, n);
        string what = $"[{m}, {n}, {k}] {(transposeA ? "T" : "N")}{(transposeB ? "T" : "N")}";
        double atol = ErrorPerProduct * k + 1e-6;
        Tensor sum = Make(c, m, n), product = Garbage(m, n);

        Backend.Matrix.Gemm(new(transposeA, transposeB, 0.5f, left, right, -2, sum));
        Backend.Matrix.Gemm(new(transposeA, transposeB, 1, left, right, 0, product));

        double[] expected = ReferenceMatrix.Gemm(m, n, k, 1, a.ToDoubles(), transposeA, b.ToDoubles(), transposeB);
        Close.Equal(expected, product, 1e-6, atol, what + " beta 0");
        Close.Equal([.. expected.Zip(c, (x, start) => 0.5 * x - 2 * start)], sum, 1e-6, atol, what + " beta -2");
    }
}
