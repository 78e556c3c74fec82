using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Softmax over each sequence's valid steps, and its backward.</summary>
public abstract class SoftmaxOverStepsTests(DeviceFixture device) : OperationTests(device)
{
    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(17, 31)]
    [InlineData(443, 5)]
    [InlineData(511, 3)]
    [InlineData(512, 2)]
    [InlineData(1021, 4)]
    public void Agrees_with_the_definition(int t, int b)
    {
        double[] x = Numbers.Normal(t * b, 1, scale: 3).ToDoubles(), d = Numbers.Normal(t * b, 2).ToDoubles();
        int[] some = [.. Enumerable.Range(0, b).Select(row => row == 1 ? 0 : 1 + (row * 5 + t - 1) % t)];
        foreach (int[]? lengths in new[] { null, some })
        {
            int[] valid = lengths ?? [.. Enumerable.Repeat(t, b)];
            double[] shares = ReferenceAttention.SoftmaxOverSteps(t, b, x, valid);
            double[] gradient = ReferenceAttention.SoftmaxOverStepsBackward(t, b, shares, d, valid);
            Tensor? given = lengths is null ? null : MakeIntegers(lengths);
            Tensor input = MakePadded(x, t, b, valid), slope = MakePadded(d, t, b, valid), y = Garbage(t, b), dx = Garbage(t, b);

            Backend.Attention.SoftmaxOverSteps(input, y, given);
            Close.Equal(shares, y, 1e-5, 1e-7, "y"); // the exponent of a large difference has its rounding, up to 1e-6, in it
            Backend.Attention.SoftmaxOverStepsBackward(new(y, slope, dx, given));
            Close.Equal(gradient, dx, 1e-5, 1e-6, "dx"); // shares up to one, times the rounding of a difference

            Backend.Attention.SoftmaxOverSteps(input, input, given);
            Assert.Equal(y.ToArray(), input.ToArray());
            Backend.Attention.SoftmaxOverStepsBackward(new(y, slope, slope, given));
            Assert.Equal(dx.ToArray(), slope.ToArray());
        }
    }

    [SkippableFact]
    public void Large_numbers_do_not_overflow()
    {
        Tensor y = Make([300f, -300, 301, -1e30f], 4, 1);
        Backend.Attention.SoftmaxOverSteps(y, y);
        Close.Equal([1 / (1 + Math.E), 0, Math.E / (1 + Math.E), 0], y, 1e-6, 0);
    }

    [Fact]
    public void The_reference_agrees_with_finite_differences()
    {
        double[] x = Numbers.Normal(21, 1).ToDoubles(), d = Numbers.Normal(21, 2).ToDoubles();
        int[] valid = [7, 0, 4];
        double[] numeric = FiniteDifferences.Gradient(() => ReferenceMatrix.Dot(d, ReferenceAttention.SoftmaxOverSteps(7, 3, x, valid)), x);
        double[] shares = ReferenceAttention.SoftmaxOverSteps(7, 3, x, valid);
        Close.Equal(ReferenceAttention.SoftmaxOverStepsBackward(7, 3, shares, d, valid), numeric, 1e-8, 1e-9);
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IAttentionOps attention = Backend.Attention;
        Tensor x = Zeros(7), window = x.View(0, 3, 2), shifted = x.View(1, 3, 2);
        Assert.Throws<ArgumentException>(() => attention.SoftmaxOverSteps(Zeros(3, 2), Zeros(2, 3)));
        Assert.Throws<ArgumentException>(() => attention.SoftmaxOverSteps(Zeros(6), Zeros(6)));
        Assert.Throws<ArgumentException>(() => attention.SoftmaxOverSteps(Zeros(3, 2), Zeros(3, 2), MakeIntegers(1, 2, 3)));
        Assert.Throws<ArgumentException>(() => attention.SoftmaxOverSteps(window, shifted));
        Assert.Throws<ArgumentException>(() => attention.SoftmaxOverStepsBackward(new(window, Zeros(3, 2), window)));
        Assert.Throws<ArgumentException>(() => attention.SoftmaxOverStepsBackward(new(Zeros(3, 2), window, shifted)));
        Assert.Throws<InvalidOperationException>(() => attention.SoftmaxOverSteps(Zeros(3, 2), Foreign(3, 2)));
        Assert.Throws<ObjectDisposedException>(() => attention.SoftmaxOverSteps(Disposed(3, 2), Zeros(3, 2)));
    }

    // NaN where nothing may be read.
    private Tensor MakePadded(double[] values, int t, int b, int[] valid) =>
        Make([.. values.Select((v, i) => i / b < valid[i % b] ? v : double.NaN)], t, b);
}
