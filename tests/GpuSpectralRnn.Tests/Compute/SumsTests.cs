using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Column sums, the mean over steps and its backward.</summary>
public abstract class SumsTests(DeviceFixture device) : OperationTests(device)
{
    [SkippableTheory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 3, 2)]
    [InlineData(443, 17, 5)]
    public void Columns_are_copied_and_added(int rows, int left, int right)
    {
        Tensor source = Random(1, rows, left);
        Tensor destination = Random(2, rows, left + right);
        (float[] x, float[] expected) = (source.ToArray(), destination.ToArray());
        for (int i = 0; i < x.Length; i++) expected[i / left * (left + right) + right + i % left] = x[i];
        Backend.Matrix.CopyColumns(new(source, 0, destination, right, left));
        Assert.Equal(expected, destination.ToArray());
        for (int i = 0; i < rows; i++) expected[i * (left + right)] += x[i * left + left - 1];
        Backend.Matrix.CopyColumns(new(source, left - 1, destination, 0, 1, Adds: true));
        Assert.Equal(expected, destination.ToArray());
        Assert.Throws<ArgumentException>(() => Backend.Matrix.CopyColumns(new(source, 1, destination, 0, left)));
        Assert.Throws<ArgumentException>(() => Backend.Matrix.CopyColumns(new(source, 0, destination, right + 1, left)));
        Assert.Throws<ArgumentException>(() => Backend.Matrix.CopyColumns(new(source, 0, Zeros(rows + 1, left), 0, left)));
    }

    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(17, 31)]
    [InlineData(1000, 7)]
    [InlineData(443, 130)]
    [InlineData(5, 443)]
    [InlineData(257, 64)]
    public void Column_sums_agree_with_the_definition(int m, int n)
    {
        double[] x = Numbers.Normal(m * n, 1).ToDoubles();
        double[] before = Numbers.Normal(n, 2).ToDoubles();
        double[] expected = ReferenceMatrix.ColumnSums(m, n, x);
        double atol = 3e-7 * m + 1e-6; // rounding of a sum of m unit normal numbers, five times
        Tensor sums = Garbage(n);
        Backend.Matrix.ColumnSums(new(Make(x, m, n), 0, sums));
        Close.Equal(expected, sums, 1e-6, atol, "beta 0");
        Tensor scaled = Make(before, n);
        Backend.Matrix.ColumnSums(new(Make(x, m, n), -0.5f, scaled));
        Close.Equal(expected.Zip(before, (a, b) => a - 0.5 * b).ToArray(), scaled, 1e-6, atol, "beta -0.5");
    }

    [SkippableFact]
    public void Column_sums_give_the_same_bits_again()
    {
        Tensor x = Random(1, 3001, 37);
        Tensor first = Garbage(37);
        Tensor second = Garbage(37);
        Backend.Matrix.ColumnSums(new(x, 0, first));
        Backend.Matrix.ColumnSums(new(x, 0, second));
        Assert.Equal(first.ToArray(), second.ToArray());
    }

    [SkippableTheory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 5)]
    [InlineData(7, 2, 17)]
    [InlineData(100, 3, 11)]
    public void Mean_over_steps_and_back(int t, int b, int h)
    {
        double[] x = Numbers.Normal(t * b * h, 1).ToDoubles();
        double[] slope = Numbers.Normal(b * h, 2).ToDoubles();
        Tensor mean = Garbage(b, h);
        Backend.Matrix.MeanOverSteps(new(Make(x, t, b, h), mean));
        Close.Equal(ReferenceMatrix.ColumnSums(t, b * h, x).Select(v => v / t).ToArray(), mean, 1e-6, 1e-6, "mean"); // means are below 1 in size
        Tensor spread = Garbage(t, b, h);
        Backend.Matrix.SpreadOverSteps(new(spread, Make(slope, b, h)));
        double[] expected = new double[t * b * h];
        for (int i = 0; i < expected.Length; i++) expected[i] = slope[i % (b * h)] / t;
        Close.Equal(expected, spread, 3e-7, 0, "spread"); // one or two roundings
    }

    [SkippableTheory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 5)]
    [InlineData(7, 5, 17)]
    [InlineData(33, 4, 64)]
    public void Means_and_last_steps_see_valid_steps_only(int t, int b, int h)
    {
        int[] lengths = [.. Enumerable.Range(0, b).Select(row => row == 1 ? 0 : 1 + (row * 5 + t - 1) % t)];
        double[] x = Numbers.Normal(t * b * h, 1).ToDoubles(), slope = Numbers.Normal(b * (h + 2), 2).ToDoubles();
        double[] mean = new double[b * h], last = new double[b * (h + 2)], spread = new double[t * b * h], scattered = new double[t * b * h];
        for (int i = 0; i < last.Length; i++) last[i] = 7;
        for (int i = 0; i < b * h; i++)
        {
            (int row, int j) = (i / h, i % h);
            last[row * (h + 2) + j] = lengths[row] == 0 ? 0 : x[(lengths[row] - 1) * b * h + i];
            for (int step = 0; step < lengths[row]; step++)
            {
                mean[i] += x[step * b * h + i] / lengths[row];
                spread[step * b * h + i] = slope[i] / lengths[row];
                if (step == lengths[row] - 1) scattered[step * b * h + i] = slope[row * (h + 2) + j];
            }
        }

        Tensor valid = MakeIntegers(lengths), input = Make(x, t, b, h), wide = Make(slope, b, h + 2);
        Tensor means = Garbage(b, h), lasts = Zeros(b, h + 2), spreads = Garbage(t, b, h), scatters = Garbage(t, b, h);
        Backend.Fill(lasts, 7);
        Backend.Matrix.MeanOverSteps(new(input, means, valid));
        Backend.Matrix.LastSteps(new(input, valid, lasts));
        Backend.Matrix.SpreadOverSteps(new(spreads, wide.View(0, b, h), valid));
        Backend.Matrix.SpreadToLastSteps(new(scatters, valid, wide));
        Close.Equal(mean, means, 1e-6, 1e-6, "mean"); // means are of size one and below
        Close.Equal(last, lasts, 1e-7, 0, "last"); // copies of numbers rounded once
        Close.Equal(spread, spreads, 3e-7, 0, "spread"); // one or two roundings
        Close.Equal(scattered, scatters, 1e-7, 0, "scattered");
    }

    [SkippableTheory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 2, 5)]
    [InlineData(7, 5, 17)]
    [InlineData(33, 4, 64)]
    public void Padding_is_cleared_and_weighs_nothing(int t, int b, int h)
    {
        int[] lengths = [.. Enumerable.Range(0, b).Select(row => row == 1 ? 0 : 1 + (row * 5 + t - 1) % t)];
        float[] x = Numbers.Normal(t * b * h, 1), perStep = Numbers.Normal(t, 2), weights = new float[t * b];
        Tensor rows = Make(x, t, b, h), result = Garbage(t, b), valid = MakeIntegers(lengths);
        for (int i = 0; i < t * b; i++)
        {
            if (i / b < lengths[i % b]) weights[i] = perStep[i / b];
            else x.AsSpan(i * h, h).Clear();
        }

        Backend.Matrix.ClearPadding(new(rows, valid));
        Backend.Matrix.WeighSteps(new(Make(perStep, t), valid, result));
        Assert.Equal(x, rows.ToArray());
        Assert.Equal(weights, result.ToArray());
    }

    [SkippableTheory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 5)]
    [InlineData(5, 7, 443)]
    [InlineData(300, 2, 3)]
    public void Squares_add_up_by_element_and_by_step(int t, int b, int m)
    {
        float[] x = Numbers.Normal(t * b * m, 1), y = Numbers.Normal(t * b * m, 2);
        double[] sums = new double[t * b * m], perStep = new double[t];
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = y[i] + (double)x[i] * x[i];
            perStep[i / (b * m)] += ((double)x[i] * x[i] + (double)y[i] * y[i]) / m;
        }

        Tensor rows = Make(x, t, b, m), totals = Make(y, t, b, m);
        using StepSquares squares = Backend.Spectral.CreateStepSquares(t);
        squares.Add(rows);
        squares.Add(totals);
        Backend.Matrix.AddSquares(new(rows, totals));
        double[] read = new double[t];
        squares.Read(read);
        Close.Equal(sums, totals, 2e-7, 2e-7, "by element"); // two roundings; terms of either sign may cancel
        Close.Equal(perStep, read, 1e-7, 0, "by step"); // a device rounds each square once
        Assert.Throws<ArgumentException>(() => squares.Add(Zeros(t + 1, b, m)));
        Assert.Throws<ArgumentException>(() => Backend.Matrix.AddSquares(new(rows, Zeros(t, b, m + 1))));
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        Assert.Throws<ArgumentException>(() => Backend.Matrix.ClearPadding(new(Zeros(2, 3, 2), MakeIntegers(1, 2))));
        Assert.Throws<ArgumentException>(() => Backend.Matrix.ClearPadding(new(Zeros(6, 2), MakeIntegers(1, 2, 2))));
        Assert.Throws<ArgumentException>(() => Backend.Matrix.WeighSteps(new(Zeros(3), MakeIntegers(1, 2), Zeros(2, 2))));
        Assert.Throws<ArgumentException>(() => Backend.Matrix.WeighSteps(new(Zeros(2), MakeIntegers(1, 2, 2), Zeros(2, 2))));
        IMatrixOps matrix = Backend.Matrix;
        Assert.Throws<ArgumentException>(() => matrix.MeanOverSteps(new(Zeros(2, 3, 2), Zeros(3, 2), MakeIntegers(1, 2))));
        Assert.Throws<ArgumentException>(() => matrix.LastSteps(new(Zeros(2, 3, 2), MakeIntegers(1, 2), Zeros(3, 2))));
        Assert.Throws<ArgumentException>(() => matrix.LastSteps(new(Zeros(2, 3, 2), MakeIntegers(1, 2, 2), Zeros(3, 1))));
        Assert.Throws<ArgumentException>(() => matrix.SpreadToLastSteps(new(Zeros(2, 3, 2), MakeIntegers(1, 2, 2), Zeros(2, 2))));
        Assert.Throws<ArgumentException>(() => matrix.ColumnSums(new(Zeros(3, 2), 0, Zeros(3))));
        Assert.Throws<ArgumentException>(() => matrix.MeanOverSteps(new(Zeros(6, 2), Zeros(3, 2))));
        Assert.Throws<ArgumentException>(() => matrix.MeanOverSteps(new(Zeros(2, 3, 2), Zeros(2, 2))));
        Assert.Throws<ArgumentException>(() => matrix.SpreadOverSteps(new(Zeros(2, 3, 2), Zeros(3, 3))));
        Assert.Throws<InvalidOperationException>(() => matrix.ColumnSums(new(Zeros(3, 2), 0, Foreign(2))));
        Assert.Throws<ObjectDisposedException>(() => matrix.MeanOverSteps(new(Disposed(2, 3, 2), Zeros(3, 2))));
    }
}
