using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Softmax cross-entropy and mean squared error.</summary>
public abstract class LossTests(DeviceFixture device) : LossChecks(device)
{
    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 5)]
    [InlineData(64, 10)]
    [InlineData(17, 31)]
    [InlineData(7, 443)]
    [InlineData(2, 511)] // a row an item on devices; from 512 on a row a group
    [InlineData(2, 512)]
    [InlineData(5, 1025)]
    [InlineData(700, 3)]
    public void Softmax_cross_entropy_agrees_with_the_definition(int n, int c) => CheckCrossEntropy(n, c);

    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 5)]
    [InlineData(64, 10)]
    [InlineData(7, 443)]
    [InlineData(2, 512)]
    [InlineData(3, 769)]
    [InlineData(700, 3)]
    public void Softmax_divergence_agrees_with_the_definition(int n, int c) => CheckDivergence(n, c);

    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(64, 1)]
    [InlineData(17, 31)]
    [InlineData(3, 443)]
    [InlineData(50, 129)]
    public void Mean_squared_error_agrees_with_the_definition(int n, int d) => CheckSquaredError(n, d);

    [SkippableFact]
    public void Softmax_cross_entropy_agrees_with_finite_differences()
    {
        (int n, int c) = (3, 7);
        double[] logits = Numbers.Normal(n * c, 5).ToDoubles();
        int[] labels = [2, -1, 6];
        Tensor gradient = Garbage(n, c);
        using LossTotals totals = Backend.Loss.CreateTotals();
        Backend.Loss.SoftmaxCrossEntropy(new(Make(logits, n, c), MakeIntegers(labels), 0.5f, gradient, totals));
        Close.Equal(FiniteDifferences.Gradient(() => 0.5 * CrossEntropy(n, c, logits, labels), logits), gradient, 2e-6, 1e-6, "gradient"); // as above
    }

    [SkippableFact]
    public void Large_logits_do_not_overflow()
    {
        Tensor x = Make([1000f, 0, -1000, 88, 89, 90, -1e30f, 0, 1], 3, 3);
        Tensor gradient = Garbage(3, 3);
        using LossTotals totals = Backend.Loss.CreateTotals();
        Backend.Loss.SoftmaxCrossEntropy(new(x, MakeIntegers(1, 2, 0), 1, gradient, totals));
        LossSums sums = totals.Read();
        double last = 1e30 + Math.Log(1 + Math.E);
        Close.Equal(1000 + Math.Log(1 + Math.Exp(-1) + Math.Exp(-2)) + last, sums.Loss, 1e-6, 0, "loss");
        Assert.Equal(-1, sums.FirstBadCall);
        Assert.Equal(1, sums.Correct);
        Close.Equal([1, -1, 0], gradient.Slice(0), 0, 1e-6, "saturated row");
    }

    [SkippableFact]
    public void Of_equal_logits_the_first_counts() => CheckTies(3);

    [SkippableFact]
    public void The_first_call_that_is_not_finite_is_named()
    {
        using LossTotals totals = Backend.Loss.CreateTotals();
        Tensor good = Make([1f, 2], 1, 2);
        Tensor bad = Make([float.NaN, 2], 1, 2);
        Tensor labels = MakeIntegers(0);
        foreach (Tensor x in new[] { good, good, bad, good, bad }) Backend.Loss.SoftmaxCrossEntropy(new(x, labels, 1, null, totals));
        LossSums sums = totals.Read();
        Assert.Equal(2, sums.FirstBadCall);
        Assert.Equal(5, sums.Calls);
        Assert.False(double.IsFinite(sums.Loss));
        totals.Reset();
        Backend.Loss.MeanSquaredError(new(Make([float.PositiveInfinity], 1, 1), Zeros(1, 1), 1, null, totals));
        Assert.Equal(0, totals.Read().FirstBadCall);
    }

    [SkippableFact]
    public void Sums_keep_small_losses_beside_large_ones()
    {
        using LossTotals totals = Backend.Loss.CreateTotals();
        Tensor zero = Zeros(1, 1);
        Backend.Loss.MeanSquaredError(new(Make([4096f], 1, 1), zero, 1, null, totals)); // 2^24: plain single precision would lose every later 1
        Tensor one = Make([1f], 1, 1);
        for (int i = 0; i < 100; i++) Backend.Loss.MeanSquaredError(new(one, zero, 1, null, totals));
        Assert.Equal(16777216.0 + 100, totals.Read().Loss);
    }

    [SkippableFact]
    public void Softmax_divergence_of_a_row_with_itself_is_zero_and_large_logits_do_not_overflow()
    {
        using LossTotals totals = Backend.Loss.CreateTotals();
        float[] rows = [1000f, 0, -1000, 88, 89, 90];
        Backend.Loss.SoftmaxDivergence(new(Make(rows, 2, 3), Make(rows, 2, 3), 1, null, totals));
        Close.Equal(0, totals.Read().Loss, 0, 1e-6, "divergence");
        Backend.Loss.SoftmaxDivergence(new(Make([0f, 0, 0], 1, 3), Make([0f, 500, 0], 1, 3), 1, null, totals));
        Close.Equal(Math.Log(3), totals.Read().Loss, 1e-6, 1e-6, "divergence of a certain row from a uniform one");
        Backend.Loss.SoftmaxDivergence(new(Make([0f, float.NaN], 1, 2), Make([0f, 0], 1, 2), 1, null, totals));
        Assert.Equal(2, totals.Read().FirstBadCall);
    }

    [SkippableFact]
    public void Softmax_divergence_refuses_operands_that_do_not_fit()
    {
        using LossTotals totals = Backend.Loss.CreateTotals();
        Tensor x = Zeros(2, 3), targets = Zeros(2, 3);
        Assert.Throws<ArgumentException>(() => Backend.Loss.SoftmaxDivergence(new(x, Zeros(3, 2), 1, null, totals)));
        Assert.Throws<ArgumentException>(() => Backend.Loss.SoftmaxDivergence(new(x, targets, 1, targets, totals)));
        Assert.Throws<ArgumentException>(() => Backend.Loss.SoftmaxDivergence(new(x, targets, 1, Zeros(3, 2), totals)));
    }

    [SkippableFact]
    public void Give_the_same_bits_again()
    {
        Tensor x = Random(1, 301, 37);
        Tensor labels = MakeIntegers(Numbers.Integers(301, 2, 0, 37));
        double[] losses = new double[2];
        for (int i = 0; i < 2; i++)
        {
            using LossTotals totals = Backend.Loss.CreateTotals();
            Backend.Loss.SoftmaxCrossEntropy(new(x, labels, 1, null, totals));
            Backend.Loss.MeanSquaredError(new(x, Random(3, 301, 37), 1, null, totals));
            losses[i] = totals.Read().Loss;
        }

        Assert.Equal(losses[0], losses[1]);
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        ILossOps loss = Backend.Loss;
        LossTotals totals = Own(loss.CreateTotals());
        Tensor x = Zeros(2, 3);
        Assert.Throws<ArgumentException>(() => loss.SoftmaxCrossEntropy(new(x, MakeIntegers(0), 1, null, totals)));
        Assert.Throws<ArgumentException>(() => loss.SoftmaxCrossEntropy(new(x, Zeros(2), 1, null, totals)));
        Assert.Throws<ArgumentException>(() => loss.SoftmaxCrossEntropy(new(x, MakeIntegers(0, 1), 1, Zeros(3, 2), totals)));
        Tensor memory = Zeros(7);
        Assert.Throws<ArgumentException>(
            () => loss.SoftmaxCrossEntropy(new(memory.View(0, 2, 3), MakeIntegers(0, 1), 1, memory.View(1, 2, 3), totals)));
        Assert.Throws<ArgumentException>(() => loss.MeanSquaredError(new(x, Zeros(3, 2), 1, null, totals)));
        Tensor targets = Zeros(2, 3);
        Assert.Throws<ArgumentException>(() => loss.MeanSquaredError(new(x, targets, 1, targets, totals)));
        Assert.Throws<InvalidOperationException>(() => loss.MeanSquaredError(new(x, Foreign(2, 3), 1, null, totals)));
        Assert.Throws<ObjectDisposedException>(() => loss.MeanSquaredError(new(Disposed(2, 3), x, 1, null, totals)));
        totals.Dispose();
        Assert.Throws<ObjectDisposedException>(() => totals.Read());
    }
}

/// <summary>How tests of losses hold them against their definitions.</summary>
public abstract class LossChecks(DeviceFixture device) : OperationTests(device)
{
    protected void CheckCrossEntropy(int n, int c)
    {
        double[] logits = Numbers.Normal(n * c, 1, 3).ToDoubles();
        int[] labels = Numbers.Integers(n, 2, -1, c);
        Tensor x = Make(logits, n, c);
        Tensor gradient = Garbage(n, c);
        using LossTotals totals = Backend.Loss.CreateTotals();
        Backend.Loss.SoftmaxCrossEntropy(new(x, MakeIntegers(labels), 0.25f, gradient, totals));
        double[] slope = Gradient(n, c, logits, labels, 0.25);
        Close.Equal(slope, gradient, 2e-6, 1e-7, "gradient"); // a softmax of fp32 exponentials: some ten roundings
        CheckSums(n, c, logits, labels, totals.Read());
        Close.Equal(logits, x, 0, 0, "the logits stay");

        Backend.Loss.SoftmaxCrossEntropy(new(x, MakeIntegers(labels), 0.25f, x, totals));
        Close.Equal(slope, x, 2e-6, 1e-7, "gradient in place");
        Assert.Equal(2, totals.Read().Calls);
        totals.Reset();
        Assert.Equal(new LossSums(0, 0, 0, 0, -1), totals.Read());
        Backend.Loss.SoftmaxCrossEntropy(new(Make(logits, n, c), MakeIntegers(labels), 1, null, totals));
        CheckSums(n, c, logits, labels, totals.Read());
    }

    protected void CheckDivergence(int n, int c)
    {
        double[] logits = Numbers.Normal(n * c, 1, 2).ToDoubles(), targets = Numbers.Normal(n * c, 2, 2).ToDoubles();
        double[] Shares(double[] x) => [.. Enumerable.Range(0, n).SelectMany(i => Softmax(x[(i * c)..((i + 1) * c)]))];
        double[] q = Shares(logits), p = Shares(targets);
        Tensor x = Make(logits, n, c), target = Make(targets, n, c), gradient = Garbage(n, c);
        using LossTotals totals = Backend.Loss.CreateTotals();

        Backend.Loss.SoftmaxDivergence(new(x, target, 0.25f, gradient, totals));

        double[] slope = [.. q.Zip(p, (a, b) => 0.25 * (a - b))];
        Close.Equal(slope, gradient, 5e-6, 2e-7, "gradient"); // a difference of two softmaxes of fp32 exponentials
        LossSums sums = totals.Read();
        // a sum over classes of terms of either sign
        Close.Equal(q.Zip(p, (a, b) => b * Math.Log(b / a)).Sum(), sums.Loss, 1e-5, 1e-6 * n, "divergence");
        int Best(double[] values, int row) => Array.IndexOf(values[(row * c)..((row + 1) * c)], values[(row * c)..((row + 1) * c)].Max());
        long agreed = Enumerable.Range(0, n).LongCount(row => Best(logits, row) == Best(targets, row));
        Assert.Equal((agreed, n, 1, -1), (sums.Correct, sums.Rows, sums.Calls, sums.FirstBadCall));
        Backend.Loss.SoftmaxDivergence(new(x, target, 0.25f, x, totals));
        Close.Equal(slope, x, 5e-6, 2e-7, "gradient in place");
        Close.Equal(targets, target, 0, 0, "the targets stay");
    }

    protected void CheckSquaredError(int n, int d)
    {
        double[] y = Numbers.Normal(n * d, 1).ToDoubles();
        double[] target = Numbers.Normal(n * d, 2).ToDoubles();
        double Loss() => y.Zip(target, (a, b) => (a - b) * (a - b)).Sum() / d;
        Tensor predictions = Make(y, n, d);
        Tensor gradient = Garbage(n, d);
        using LossTotals totals = Backend.Loss.CreateTotals();
        Backend.Loss.MeanSquaredError(new(predictions, Make(target, n, d), 0.5f, gradient, totals));
        double[] expected = y.Zip(target, (a, b) => 0.5 * 2 / d * (a - b)).ToArray();
        Close.Equal(expected, gradient, 1e-6, 1e-7, "gradient"); // three roundings
        if (n * d < 100) Close.Equal(FiniteDifferences.Gradient(() => 0.5 * Loss(), y), gradient, 1e-6, 1e-6, "gradient");
        LossSums sums = totals.Read();
        Close.Equal(Loss(), sums.Loss, 1e-6, 0, "loss");
        Assert.Equal((0, n, 1, -1), (sums.Correct, sums.Rows, sums.Calls, sums.FirstBadCall));
        Backend.Loss.MeanSquaredError(new(predictions, Make(target, n, d), 0.5f, predictions, totals));
        Close.Equal(expected, predictions, 1e-6, 1e-7, "gradient in place");
    }

    /// <summary>The first and the last of a row are its largest; a target of minus infinity has no share.</summary>
    protected void CheckTies(int c)
    {
        float[] logits = new float[2 * c];
        logits[0] = logits[c - 1] = logits[c] = logits[^1] = 2;
        float[] targets = [.. logits];
        targets[1] = float.NegativeInfinity;
        using LossTotals labelled = Backend.Loss.CreateTotals(), compared = Backend.Loss.CreateTotals();
        Backend.Loss.SoftmaxCrossEntropy(new(Make(logits, 2, c), MakeIntegers(0, c - 1), 1, null, labelled));
        Backend.Loss.SoftmaxDivergence(new(Make(logits, 2, c), Make(targets, 2, c), 1, null, compared));
        Assert.Equal(1, labelled.Read().Correct);
        LossSums sums = compared.Read();
        Assert.Equal(2, sums.Correct);

        // All other logits are as those of the target, whose shares are larger by what the row lost, e^0.
        double whole = 2 * Math.Exp(2) + c - 2;
        Close.Equal(Math.Log(whole / (whole - 1)), sums.Loss, 1e-5, 1e-6, "divergence"); // as in CheckDivergence
    }

    /// <summary>The sum of the rows' cross-entropies; a label of -1 does not count.</summary>
    protected static double CrossEntropy(int n, int c, double[] logits, int[] labels) =>
        Enumerable.Range(0, n).Where(i => labels[i] >= 0).Sum(i => -Math.Log(Softmax(logits[(i * c)..((i + 1) * c)])[labels[i]]));

    private static double[] Softmax(double[] row)
    {
        double top = row.Max();
        double[] powers = Array.ConvertAll(row, x => Math.Exp(x - top));
        double sum = powers.Sum();
        return Array.ConvertAll(powers, x => x / sum);
    }

    private static double[] Gradient(int n, int c, double[] logits, int[] labels, double scale)
    {
        double[] gradient = new double[n * c];
        for (int i = 0; i < n; i++)
        {
            if (labels[i] < 0) continue;
            double[] shares = Softmax(logits[(i * c)..((i + 1) * c)]);
            for (int j = 0; j < c; j++) gradient[i * c + j] = scale * (shares[j] - (j == labels[i] ? 1 : 0));
        }

        return gradient;
    }

    private static void CheckSums(int n, int c, double[] logits, int[] labels, LossSums sums)
    {
        Close.Equal(CrossEntropy(n, c, logits, labels), sums.Loss, 2e-6, 1e-6, "loss"); // rows in single precision, their sum in double
        int correct = Enumerable.Range(0, n).Count(i => labels[i] >= 0 && logits[i * c + labels[i]] == logits[(i * c)..((i + 1) * c)].Max());
        Assert.Equal((correct, labels.Count(x => x >= 0), 1, -1), (sums.Correct, sums.Rows, sums.Calls, sums.FirstBadCall));
    }

    // Against u = diag(s) z - p (s . z) in double precision; the rows are orthogonal to s, so that no direction moves the sum of the probabilities.
    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(65, 10)]
    [InlineData(7, 443)]
    [InlineData(5, 1500)]
    public void Fisher_directions_agree_with_the_definition(int rows, int classes)
    {
        float[] logits = Numbers.Normal(rows * classes, 1), normals = Numbers.Normal(rows * classes, 2);
        logits[0] = 30;
        double[] expected = new double[rows * classes];
        for (int row = 0; row < rows; row++)
        {
            double[] p = [.. logits.Skip(row * classes).Take(classes).Select(logit => Math.Exp(logit))];
            double sum = p.Sum(), inner = 0;
            for (int j = 0; j < classes; j++) inner += Math.Sqrt(p[j] / sum) * normals[row * classes + j];
            for (int j = 0; j < classes; j++) expected[row * classes + j] = Math.Sqrt(p[j] / sum) * normals[row * classes + j] - p[j] / sum * inner;
        }

        Tensor directions = Make(logits, rows, classes);
        Backend.Loss.FisherDirections(new(directions, Make(normals, rows, classes)));
        Close.Equal(expected, directions.ToArray(), 2e-6, 3e-6, "u", rows, classes); // two numbers of size 3 and below may cancel
        Assert.Throws<ArgumentException>(() => Backend.Loss.FisherDirections(new(directions, Zeros(rows, classes + 1))));
    }
}
