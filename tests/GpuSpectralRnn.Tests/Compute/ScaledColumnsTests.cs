using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Columns that are scaled, and the gradient of the scales.</summary>
public abstract class ScaledColumnsTests(DeviceFixture device) : OperationTests(device)
{
    public static TheoryData<int, int, int, int> Ranges => new()
    {
        { 1, 1, 0, 1 },
        { 2, 3, 1, 2 },
        { 3, 2, 0, 2 },
        { 17, 31, 7, 16 },
        { 33, 5, 5, 0 },
        { 257, 64, 15, 17 },
        { 1000, 7, 2, 4 },
        { 443, 130, 1, 129 },
        { 5, 443, 0, 443 },
    };

    [SkippableTheory]
    [MemberData(nameof(Ranges))]
    public void Columns_are_scaled(int m, int n, int from, int columns)
    {
        float[] w = Numbers.Normal((long)m * n, 1), z = Numbers.Normal(columns, 2), old = Numbers.Normal((long)m * n, 3), inPlace = [.. w];
        for (int i = 0; i < w.Length; i++)
        {
            if (i % n < from || i % n >= from + columns) continue;
            old[i] = inPlace[i] = w[i] * z[i % n - from];
        }

        Tensor weights = Make(w, m, n), scales = Make(z, columns), scaled = Random(3, m, n);
        Backend.Matrix.ScaleColumns(new(weights, from, scales, scaled));
        Assert.Equal(old, scaled.ToArray());
        Assert.Equal(w, weights.ToArray());
        Backend.Matrix.ScaleColumns(new(weights, from, scales, weights));
        Assert.Equal(inPlace, weights.ToArray());
    }

    [SkippableTheory]
    [MemberData(nameof(Ranges))]
    public void Products_of_columns_are_added(int m, int n, int from, int columns)
    {
        double[] a = Numbers.Normal((long)m * n, 1).ToDoubles(), b = Numbers.Normal((long)m * n, 2).ToDoubles();
        double[] dots = Numbers.Normal(columns, 3).ToDoubles();
        Tensor left = Make(a, m, n), sums = Make(dots, columns);
        for (int i = 0; i < a.Length; i++)
        {
            if (i % n >= from && i % n < from + columns) dots[i % n - from] += a[i] * b[i];
        }

        Backend.Matrix.ColumnDots(new(left, Make(b, m, n), from, sums));
        Close.Equal(dots, sums, 1e-6, 3e-7 * m + 1e-6); // rounding of a sum of m unit numbers, five times
    }

    // L = sum_ij d_ij (W diag(z))_ij: dL/dz_j is the inner product of the columns of d and W.
    [Fact]
    public void Products_of_columns_are_the_gradient_of_the_scales()
    {
        double[] w = Numbers.Normal(15, 1).ToDoubles(), z = Numbers.Normal(3, 2).ToDoubles(), d = Numbers.Normal(15, 3).ToDoubles();
        double[] numeric = FiniteDifferences.Gradient(() => w.Select((v, i) => d[i] * v * z[i % 3]).Sum(), z);
        Close.Equal(ReferenceMatrix.ColumnSums(5, 3, [.. d.Zip(w, (v, u) => v * u)]), numeric, 1e-8, 1e-9);
    }

    [SkippableFact]
    public void Products_of_columns_give_the_same_bits_again()
    {
        Tensor a = Random(1, 3001, 37), b = Random(2, 3001, 37), first = Zeros(30), second = Zeros(30);
        Backend.Matrix.ColumnDots(new(a, b, 5, first));
        Backend.Matrix.ColumnDots(new(a, b, 5, second));
        Assert.Equal(first.ToArray(), second.ToArray());
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IMatrixOps matrix = Backend.Matrix;
        Tensor w = Zeros(4, 3), all = Zeros(13);
        Assert.Throws<ArgumentException>(() => matrix.ScaleColumns(new(w, 2, Zeros(2), w)));
        Assert.Throws<ArgumentException>(() => matrix.ScaleColumns(new(w, -1, Zeros(2), w)));
        Assert.Throws<ArgumentException>(() => matrix.ScaleColumns(new(w, 0, Zeros(2), Zeros(4, 2))));
        Assert.Throws<ArgumentException>(() => matrix.ScaleColumns(new(all.View(0, 4, 3), 0, Zeros(2), all.View(1, 4, 3))));
        Assert.Throws<ArgumentException>(() => matrix.ScaleColumns(new(w, 0, w.View(0, 2), w)));
        Assert.Throws<ArgumentException>(() => matrix.ColumnDots(new(w, Zeros(3, 3), 0, Zeros(2))));
        Assert.Throws<ArgumentException>(() => matrix.ColumnDots(new(w, w, 3, Zeros(1))));
        Assert.Throws<ArgumentException>(() => matrix.ColumnDots(new(w, w, 0, w.View(0, 2))));
        Assert.Throws<InvalidOperationException>(() => matrix.ScaleColumns(new(w, 0, Foreign(3), w)));
        Assert.Throws<ObjectDisposedException>(() => matrix.ColumnDots(new(w, w, 0, Disposed(2))));
    }
}
