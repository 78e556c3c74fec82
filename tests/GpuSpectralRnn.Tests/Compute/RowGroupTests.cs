using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Rows that belong to units, and the proximal step of a group lasso over them.</summary>
public abstract class RowGroupTests(DeviceFixture device) : OperationTests(device)
{
    // units, blocks, first row, rows of a block, columns
    public static TheoryData<int, int, int, int, int> Extents => new()
    {
        { 1, 1, 0, 1, 1 },
        { 3, 4, 0, 3, 5 },
        { 2, 3, 1, 4, 7 },
        { 17, 1, 5, 0, 31 },
        { 64, 4, 0, 64, 257 },
        { 5, 2, 2, 9, 1 },
        { 443, 3, 0, 443, 13 },
    };

    [SkippableTheory]
    [MemberData(nameof(Extents))]
    public void Squares_of_rows_are_added_and_rows_are_scaled(int units, int blocks, int first, int stride, int columns)
    {
        int rows = ((blocks - 1) * stride) + first + units + 1;
        double[] w = Numbers.Normal((long)rows * columns, 1).ToDoubles(), sums = Numbers.Normal(units, 2).ToDoubles(), z = Numbers.Normal(units, 3).ToDoubles();
        Tensor weights = Make(w, rows, columns), squares = Make(sums, units);
        Backend.Matrix.AddRowSquares(new(weights, squares, blocks, first, stride));
        Backend.Matrix.ScaleRows(new(weights, Make(z, units), blocks, first, stride));
        for (int block = 0; block < blocks; block++)
        {
            for (int unit = 0; unit < units; unit++)
            {
                for (int i = 0; i < columns; i++)
                {
                    ref double value = ref w[(((block * stride) + first + unit) * columns) + i];
                    sums[unit] += value * value;
                    value *= z[unit];
                }
            }
        }

        Close.Equal(sums, squares, 1e-6, 3e-7 * blocks * columns + 1e-6); // rounding of a sum of squares of unit numbers, five times
        Close.Equal(w, weights, 1e-6, 1e-6); // one rounding, twice
    }

    [SkippableFact]
    public void Groups_shrink_by_a_proximal_step()
    {
        float[] squares = [9, 1, 0.04f, 0.0001f, 4, 0], before = [1, 0.5f, 0.9f, 1, 0, 1];
        Check([1 - (0.5 / 3), 0.5, 0, 0, 0, 0], 0.5f, 0, 0);
        Check([1 - (0.5 / 3), 0, 0, 0, 0, 0], 0.5f, 2, 0); // below a share of the scale 1
        Check([1, 1, 0, 0, 0, 0], 2, 0, 2); // the largest that are open stay as they are
        Check([1, 1, 1, 1, 0, 1], 2, 0, 5);

        void Check(double[] expected, float amount, float threshold, int least)
        {
            Tensor factors = Garbage(6), count = Garbage(1);
            Backend.Optimizer.ShrinkGroups(
                new(Make(squares, 6), Make(before, 6), Make([1f], 1), Make([1f], 1), factors, count, new(amount, threshold, least)));
            Assert.Equal(5, count.ToArray()[0]);
            Close.Equal(expected, factors, 1e-6, 1e-6); // a root, a quotient and a difference
        }
    }

    // A small step along the gradient of lambda sum_j sqrt(|w_j|^2 + 1e-8), by differences.
    [SkippableFact]
    public void A_small_step_goes_down_the_gradient_of_the_penalty()
    {
        const double Lambda = 0.7, Amount = 1e-3;
        double[] w = Numbers.Normal(12, 5).ToDoubles(); // 4 rows: two gates of two units
        double[] numeric = FiniteDifferences.Gradient(() => Lambda * Enumerable.Range(0, 2).Sum(
            unit => Math.Sqrt(w.Where((_, i) => i / 3 % 2 == unit).Sum(x => x * x) + 1e-8)), w);
        Tensor weights = Make(w, 4, 3), squares = Zeros(2), factors = Zeros(2);
        Backend.Matrix.AddRowSquares(new(weights, squares, 2, 0, 2));
        Backend.Optimizer.ShrinkGroups(new(squares, Make([1f, 1f], 2), Make([(float)Lambda], 1), Zeros(1), factors, Zeros(1), new((float)Amount, 0, 0)));
        Backend.Matrix.ScaleRows(new(weights, factors, 2, 0, 2));
        double[] moved = [.. weights.ToArray().Select((x, i) => (w[i] - x) / Amount)];
        Close.Equal(numeric, moved, 2e-4, 2e-4); // a rounding of 6e-8 over a step of 1e-3
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        Tensor w = Zeros(8, 3), units = Zeros(2);
        foreach (Action<RowGroups> run in (Action<RowGroups>[])[Backend.Matrix.AddRowSquares, Backend.Matrix.ScaleRows])
        {
            Assert.Throws<ArgumentException>(() => run(new(w, units, 4, 1, 2)));
            Assert.Throws<ArgumentException>(() => run(new(w, units, 3, 0, 4)));
            Assert.Throws<ArgumentException>(() => run(new(w, units, 1, -1, 0)));
            Assert.Throws<ArgumentException>(() => run(new(w, units, 0, 0, 2)));
            Assert.Throws<ArgumentException>(() => run(new(w, w.View(0, 2), 1, 0, 2)));
        }

        Tensor one = Zeros(1), other = Zeros(1), count = Zeros(1);
        Assert.Throws<ArgumentException>(() => Backend.Optimizer.ShrinkGroups(new(units, Zeros(3), one, other, Zeros(2), count, default)));
        Assert.Throws<ArgumentException>(() => Backend.Optimizer.ShrinkGroups(new(units, Zeros(2), one, other, units, count, default)));
        Assert.Throws<ArgumentException>(() => Backend.Optimizer.ShrinkGroups(new(units, Zeros(2), one, other, Zeros(2), one, default)));
    }
}
