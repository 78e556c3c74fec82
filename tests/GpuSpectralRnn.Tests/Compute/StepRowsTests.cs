using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Numbers of steps as rows of sequences, and back; the losses of classes on such rows.</summary>
public abstract class StepRowsTests(DeviceFixture device) : OperationTests(device)
{
    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(7, 5)]
    [InlineData(31, 17)]
    [InlineData(443, 3)]
    public void Steps_become_rows_and_rows_steps(int t, int b)
    {
        float[] numbers = Numbers.Normal(t * b, 1), slopes = Numbers.Normal(t * b, 2);
        int[] some = [.. Enumerable.Range(0, b).Select(row => row == 1 ? 0 : 1 + (row * 5 + t - 1) % t)];
        foreach (int[]? lengths in new[] { null, some })
        {
            Tensor? given = lengths is null ? null : MakeIntegers(lengths);
            Tensor steps = Make([.. numbers.Select((x, i) => IsThere(i / b, i % b) ? x : float.NaN)], t, b), rows = Garbage(b, t), back = Garbage(t, b);

            Backend.Attention.StepsToRows(new(steps, rows, given));
            Assert.Equal([.. Enumerable.Range(0, t * b).Select(i => IsThere(i % t, i / t) ? numbers[i % t * b + i / t] : StepRows.Masked)], rows.ToArray());
            rows.CopyFrom<float>(slopes);
            Backend.Attention.RowsToSteps(new(back, rows, given));
            Assert.Equal([.. Enumerable.Range(0, t * b).Select(i => IsThere(i / b, i % b) ? slopes[i % b * t + i / b] : 0)], back.ToArray());

            bool IsThere(int step, int sequence) => step < (lengths?[sequence] ?? t);
        }
    }

    [SkippableFact]
    public void What_is_masked_has_no_share_in_losses()
    {
        // Two rows of four steps, of which three and one are there: the losses are those of three classes and of one.
        float[] logits = [0.3f, -1.2f, 0.8f, StepRows.Masked, 2.5f, StepRows.Masked, StepRows.Masked, StepRows.Masked];
        float[] others = [1.1f, 0.2f, -0.4f, StepRows.Masked, -3, StepRows.Masked, StepRows.Masked, StepRows.Masked];
        double[] p = Softmax(others[..3]), q = Softmax(logits[..3]);
        using LossTotals totals = Backend.Loss.CreateTotals();
        Tensor outputs = Make(logits, 2, 4), gradient = Garbage(2, 4);

        Backend.Loss.SoftmaxCrossEntropy(new(outputs, MakeIntegers(2, 0), 0.5f, gradient, totals));
        Close.Equal(-Math.Log(q[2]), totals.Read().Loss, 1e-6, 1e-6, "cross-entropy"); // a few roundings of numbers of about one
        Close.Equal([0.5 * q[0], 0.5 * q[1], 0.5 * (q[2] - 1), 0, 0, 0, 0, 0], gradient, 1e-5, 1e-6, "its gradient");
        Assert.Equal(2, totals.Read().Correct);

        totals.Reset();
        Backend.Loss.SoftmaxDivergence(new(outputs, Make(others, 2, 4), 1, gradient, totals));
        Close.Equal(Enumerable.Range(0, 3).Sum(i => p[i] * Math.Log(p[i] / q[i])), totals.Read().Loss, 1e-5, 1e-6, "divergence");
        Close.Equal([q[0] - p[0], q[1] - p[1], q[2] - p[2], 0, 0, 0, 0, 0], gradient, 1e-5, 1e-6, "its gradient");

        Backend.Loss.FisherDirections(new(outputs, Random(3, 2, 4)));
        float[] directions = outputs.ToArray();
        Assert.All(directions, value => Assert.True(float.IsFinite(value)));
        Assert.All(directions[3..], value => Assert.Equal(0f, value)); // of one class there is no direction
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IAttentionOps attention = Backend.Attention;
        Tensor x = Zeros(12);
        Assert.Throws<ArgumentException>(() => attention.StepsToRows(new(Zeros(3, 2), Zeros(3, 2))));
        Assert.Throws<ArgumentException>(() => attention.StepsToRows(new(Zeros(3, 2, 1), Zeros(2, 3))));
        Assert.Throws<ArgumentException>(() => attention.StepsToRows(new(Zeros(3, 2), Zeros(2, 3), MakeIntegers(1, 2, 3))));
        Assert.Throws<ArgumentException>(() => attention.RowsToSteps(new(x.View(0, 3, 2), x.View(4, 2, 3))));
        Assert.Throws<InvalidOperationException>(() => attention.RowsToSteps(new(Zeros(3, 2), Foreign(2, 3))));
        Assert.Throws<ObjectDisposedException>(() => attention.StepsToRows(new(Disposed(3, 2), Zeros(2, 3))));
    }

    private static double[] Softmax(float[] x)
    {
        double sum = x.Sum(value => Math.Exp(value));
        return [.. x.Select(value => Math.Exp(value) / sum)];
    }
}
