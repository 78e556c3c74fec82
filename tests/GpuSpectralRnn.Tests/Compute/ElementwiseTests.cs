using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Operations on each number by itself, and their backward passes.</summary>
public abstract class ElementwiseTests(DeviceFixture device) : OperationTests(device)
{
    // A few roundings of numbers of size one to ten, whose terms may cancel; the exponentials err by 3e-7.
    private const double Rtol = 1e-6, Atol = 2e-6;

    public static TheoryData<int> Counts => [1, 2, 3, 15, 16, 17, 31, 443, 70001];

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Activations_and_back(int count)
    {
        float[] x = Numbers.Normal(count, 1, scale: 3), slope = Numbers.Normal(count, 2);
        x[0] = 0; // where a ReLU has its corner
        foreach (ActivationKind kind in Enum.GetValues<ActivationKind>())
        {
            double[] outputs = [.. x.Select(v => Value(kind, v))];
            Tensor y = Garbage(count), gradient = Garbage(count);
            Backend.Elementwise.Activate(kind, Make(x, count), y);
            Close.Equal(outputs, y, Rtol, Atol, $"{kind}");
            Backend.Elementwise.ActivateBackward(new(kind, y, Make(slope, count), gradient));
            Close.Equal([.. slope.Select((d, i) => d * Slope(kind, x[i]))], gradient, Rtol, Atol, $"{kind}'s backward");

            Tensor own = Make(x, count), ownGradient = Make(slope, count);
            Backend.Elementwise.Activate(kind, own, own);
            Backend.Elementwise.ActivateBackward(new(kind, own, ownGradient, ownGradient));
            Assert.Equal(y.ToArray(), own.ToArray());
            Assert.Equal(gradient.ToArray(), ownGradient.ToArray());
            Backend.Elementwise.ActivateBackward(new(kind, own, Make(slope, count), own));
            Assert.Equal(gradient.ToArray(), own.ToArray());
        }
    }

    [SkippableTheory]
    [InlineData(ActivationKind.Relu, float.PositiveInfinity, 0)]
    [InlineData(ActivationKind.Tanh, 1, -1)]
    [InlineData(ActivationKind.Sigmoid, 1, 0)]
    public void Activations_at_the_ends(ActivationKind kind, float above, float below)
    {
        Tensor y = Make([float.PositiveInfinity, float.NegativeInfinity, float.NaN], 3);
        Backend.Elementwise.Activate(kind, y, y);
        Assert.Equal([above, below, float.NaN], y.ToArray());
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Products_and_back(int count)
    {
        float[] a = Numbers.Normal(count, 1), b = Numbers.Normal(count, 2), d = Numbers.Normal(count, 3);
        float[] y = [.. a.Zip(b, (v, w) => v * w)], da = [.. d.Zip(b, (v, w) => v * w)], db = [.. d.Zip(a, (v, w) => v * w)];
        Tensor left = Make(a, count), right = Make(b, count), slope = Make(d, count), first = Garbage(count), second = Garbage(count);
        Backend.Elementwise.Multiply(left, right, first);
        Assert.Equal(y, first.ToArray());
        Backend.Elementwise.MultiplyBackward(new(left, right, slope, first, second));
        Assert.Equal(da, first.ToArray());
        Assert.Equal(db, second.ToArray());
        Backend.Elementwise.MultiplyBackward(new(left, right, slope, null, slope));
        Assert.Equal(db, slope.ToArray());
        Backend.Elementwise.MultiplyBackward(new(left, right, Make(d, count), left, null));
        Assert.Equal(da, left.ToArray());
        Backend.Elementwise.Multiply(right, right, right);
        Assert.Equal([.. b.Select(v => v * v)], right.ToArray());
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Highways_and_back(int count)
    {
        double[] t = Numbers.Normal(count, 1, scale: 2).ToDoubles(), g = Numbers.Normal(count, 2).ToDoubles();
        double[] x = Numbers.Normal(count, 3).ToDoubles(), d = Numbers.Normal(count, 4).ToDoubles();
        double[] y = Highway(t, g, x), dt = new double[count], dg = new double[count], dx = new double[count];
        for (int i = 0; i < count; i++)
        {
            double s = Logistic(t[i]);
            dt[i] = d[i] * (Math.Max(g[i], 0) - x[i]) * s * (1 - s);
            dg[i] = g[i] > 0 ? d[i] * s : 0;
            dx[i] = d[i] * (1 - s);
        }

        Tensor gate = Make(t, count), candidate = Make(g, count), input = Make(x, count), slope = Make(d, count);
        Tensor output = Garbage(count), toGate = Garbage(count), toCandidate = Garbage(count);
        Backend.Elementwise.Highway(new(gate, candidate, input, output));
        Close.Equal(y, output, Rtol, Atol, "y");
        Backend.Elementwise.HighwayBackward(new(gate, candidate, input, slope, toGate, toCandidate, output));
        Close.Equal(dt, toGate, Rtol, Atol, "dt");
        Close.Equal(dg, toCandidate, Rtol, Atol, "dg");
        Close.Equal(dx, output, Rtol, Atol, "dx");
        Backend.Elementwise.HighwayBackward(new(gate, candidate, input, slope, gate, candidate, null));
        Assert.Equal(toGate.ToArray(), gate.ToArray());
        Assert.Equal(toCandidate.ToArray(), candidate.ToArray());
        Tensor again = Make(t, count);
        Backend.Elementwise.Highway(new(again, Make(g, count), input, again));
        Close.Equal(y, again, Rtol, Atol, "y in the place of t");
    }

    [Fact]
    public void The_reference_agrees_with_finite_differences()
    {
        double[] t = Numbers.Normal(31, 1).ToDoubles(), g = Numbers.Normal(31, 2).ToDoubles();
        double[] x = Numbers.Normal(31, 3).ToDoubles(), d = Numbers.Normal(31, 4).ToDoubles();
        double[] Numeric(double[] of) => FiniteDifferences.Gradient(() => ReferenceMatrix.Dot(d, Highway(t, g, x)), of);
        Close.Equal([.. t.Select((v, i) => d[i] * (Math.Max(g[i], 0) - x[i]) * Logistic(v) * Logistic(-v))], Numeric(t), 1e-8, 1e-9, "dt");
        Close.Equal([.. t.Select((v, i) => g[i] > 0 ? d[i] * Logistic(v) : 0)], Numeric(g), 1e-8, 1e-9, "dg");
        Close.Equal([.. t.Select((v, i) => d[i] * Logistic(-v))], Numeric(x), 1e-8, 1e-9, "dx");
        foreach (ActivationKind kind in Enum.GetValues<ActivationKind>())
        {
            double[] numeric = FiniteDifferences.Gradient(() => x.Sum(v => Value(kind, v)), x);
            Close.Equal([.. x.Select(v => Slope(kind, v))], numeric, 1e-8, 1e-9, $"{kind}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Multiples_are_added(int count)
    {
        float[] x = Numbers.Normal(count, 1), y = Numbers.Normal(count, 2);
        Tensor sum = Make(y, count), own = Make(x, count);
        Backend.Elementwise.AddScaled(-0.3f, own, sum);
        Close.Equal([.. y.Zip(x, (v, w) => v - (double)0.3f * w)], sum, 1e-7, 3e-7, "y"); // two roundings; the terms may cancel
        Backend.Elementwise.AddScaled(2, own, own);
        Close.Equal([.. x.Select(v => 3.0 * v)], own, 3e-7, 0, "x + 2 x");
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IElementwiseOps elementwise = Backend.Elementwise;
        Tensor x = Zeros(8), window = x.View(0, 4), shifted = x.View(1, 4);
        Assert.Throws<ArgumentException>(() => elementwise.Activate(ActivationKind.Tanh, Zeros(3), Zeros(4)));
        Assert.Throws<ArgumentException>(() => elementwise.Activate(ActivationKind.Tanh, window, shifted));
        Assert.Throws<ArgumentOutOfRangeException>(() => elementwise.Activate((ActivationKind)9, Zeros(4), Zeros(4)));
        Assert.Throws<ArgumentException>(() => elementwise.Multiply(Zeros(4), Zeros(2, 3), Zeros(4)));
        Assert.Throws<ArgumentException>(() => elementwise.MultiplyBackward(new(Zeros(4), Zeros(4), Zeros(4), window, window)));
        Assert.Throws<ArgumentException>(() => elementwise.MultiplyBackward(new(Zeros(4), Zeros(4), Zeros(4), window, shifted)));
        Assert.Throws<ArgumentException>(() => elementwise.Highway(new(Zeros(4), Zeros(4), window, shifted)));
        Assert.Throws<ArgumentException>(() => elementwise.AddScaled(1, MakeIntegers(1, 2, 3, 4), Zeros(4)));
        Assert.Throws<ArgumentNullException>(() => elementwise.HighwayBackward(new(Zeros(4), Zeros(4), Zeros(4), Zeros(4), null!, Zeros(4), null)));
        Assert.Throws<InvalidOperationException>(() => elementwise.AddScaled(1, Foreign(4), Zeros(4)));
        Assert.Throws<ObjectDisposedException>(() => elementwise.AddScaled(1, Disposed(4), Zeros(4)));
    }

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

    private static double Value(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Relu => Math.Max(x, 0),
        ActivationKind.Tanh => Math.Tanh(x),
        _ => Logistic(x),
    };

    private static double Slope(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Relu => x > 0 ? 1 : 0,
        ActivationKind.Tanh => 1 - Math.Tanh(x) * Math.Tanh(x),
        _ => Logistic(x) * Logistic(-x),
    };

    private static double[] Highway(double[] t, double[] g, double[] x) =>
        [.. t.Select((v, i) => Logistic(v) * Math.Max(g[i], 0) + Logistic(-v) * x[i])];
}
