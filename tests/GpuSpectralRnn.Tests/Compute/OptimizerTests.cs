using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Optimiser steps against their rules in double precision over several steps, and clipping.</summary>
public abstract class OptimizerTests(DeviceFixture device) : ClippingChecks(device)
{
    // After a few steps of a handful of roundings each, values of size one: 1e-6 is about ten roundings.
    private const double Tolerance = 1e-6;

    private const int Steps = 5;

    public static TheoryData<int> Counts => [1, 2, 3, 15, 16, 17, 443, 5003, 70001];

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Sgd(int count) => Check(
        count,
        states: 0,
        (p, g, s, step) => Backend.Optimizer.Sgd(new(p, g, new(0.1f, 0.01f))),
        (p, g, s, step) => p - 0.1f * (g + 0.01f * p));

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Momentum(int count) => Check(
        count,
        states: 1,
        (p, g, s, step) => Backend.Optimizer.Momentum(new(p, g, s[0], new(0.1f, 0.9f, 0.01f))),
        (p, g, s, step) =>
        {
            s[0] = 0.9f * s[0] + g + 0.01f * p;
            return p - 0.1f * s[0];
        });

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void RmsProp(int count) => Check(
        count,
        states: 1,
        (p, g, s, step) => Backend.Optimizer.RmsProp(new(p, g, s[0], new(0.01f, 0.9f, 1e-3f, 0.01f))),
        (p, g, s, step) =>
        {
            double slope = g + 0.01f * p;
            s[0] = 0.9f * s[0] + (1 - 0.9f) * slope * slope;
            return p - 0.01f * slope / (Math.Sqrt(s[0]) + 1e-3f);
        });

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Adadelta(int count) => Check(
        count,
        states: 2,
        (p, g, s, step) => Backend.Optimizer.Adadelta(new(p, g, s[0], s[1], new(0.5f, 0.9f, 1e-3f, 0.01f))),
        (p, g, s, step) =>
        {
            double slope = g + 0.01f * p;
            s[0] = 0.9f * s[0] + (1 - 0.9f) * slope * slope;
            double change = Math.Sqrt(s[1] + 1e-3f) / Math.Sqrt(s[0] + 1e-3f) * slope;
            s[1] = 0.9f * s[1] + (1 - 0.9f) * change * change;
            return p - 0.5f * change;
        });

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Adam(int count) => Check(count, states: 2, AdamStep(false), AdamRule(false));

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void AdamW(int count) => Check(count, states: 2, AdamStep(true), AdamRule(true));

    // PyTorch 1.13: p = torch.nn.Parameter(torch.tensor([1.0, -2.0])); o = torch.optim.KIND([p], OPTIONS)
    // for _ in range(3): p.grad = torch.tensor([0.5, -0.25]) + 0.1 * p.detach(); o.step()
    // print(p.tolist())
    [SkippableTheory]
    [InlineData("SGD lr 0.1 weight_decay 0.01", 0.8190056085586548, -1.86054527759552)]
    [InlineData("SGD lr 0.1 momentum 0.9 weight_decay 0.01", 0.6610034108161926, -1.738805890083313)]
    [InlineData("RMSprop lr 0.01 alpha 0.9 weight_decay 0.01", 0.9263718128204346, -1.9264154434204102)]
    [InlineData("Adam lr 0.01 weight_decay 0.1", 0.9700028300285339, -1.9700030088424683)]
    [InlineData("AdamW lr 0.01 weight_decay 0.1", 0.9670348167419434, -1.9640387296676636)]
    public void Rules_are_those_of_PyTorch(string kind, double first, double second)
    {
        Tensor p = Make([1f, -2f], 2);
        Tensor g = Zeros(2);
        Tensor m = Zeros(2);
        Tensor v = Zeros(2);
        IOptimizerOps ops = Backend.Optimizer;
        for (int step = 1; step <= 3; step++)
        {
            float[] at = p.ToArray();
            g.CopyFrom<float>([0.5f + 0.1f * at[0], -0.25f + 0.1f * at[1]]);
            switch (kind.Split(' ')[0])
            {
                case "SGD" when kind.Contains("momentum"): ops.Momentum(new(p, g, m, new(0.1f, 0.9f, 0.01f))); break;
                case "SGD": ops.Sgd(new(p, g, new(0.1f, 0.01f))); break;
                case "RMSprop": ops.RmsProp(new(p, g, v, new(0.01f, 0.9f, 1e-8f, 0.01f))); break;
                default: ops.Adam(new(p, g, m, v, new(0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, kind.StartsWith("AdamW", StringComparison.Ordinal), step))); break;
            }
        }

        Close.Equal([first, second], p, Tolerance, 0, kind);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(443)]
    [InlineData(100003)]
    public void Clipping_scales_what_is_too_long(int count) => CheckClipping(count);

    [SkippableFact]
    public void Clipping_gives_the_same_bits_again()
    {
        Tensor gradients = Random(1, 30011);
        Tensor first = Garbage(1);
        Tensor second = Garbage(1);
        Backend.Optimizer.ClipGlobalNorm(new(gradients, 1e9f, first));
        Backend.Optimizer.ClipGlobalNorm(new(gradients, 1e9f, second));
        Assert.Equal(first.ToArray(), second.ToArray());
    }

    [SkippableFact]
    public void A_norm_that_is_not_finite_shows()
    {
        Tensor norm = Zeros(1);
        Backend.Optimizer.ClipGlobalNorm(new(Make([1f, float.NaN, 2], 3), 1, norm));
        Assert.True(float.IsNaN(norm.ToArray()[0]));
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(1031)]
    public void A_mask_takes_weights_away(int count)
    {
        double[] p = Numbers.Normal(count, 1).ToDoubles(), mask = [.. Enumerable.Range(0, count).Select(i => i % 3 == 1 ? 0.0 : 1)];
        Tensor parameters = Make(p, count), ones = Make(mask, count);
        Backend.Optimizer.Mask(new(parameters, ones));
        Close.Equal(p.Zip(mask, (x, m) => x * m).ToArray(), parameters, 0, 0, "masked");
        Close.Equal(mask, ones, 0, 0, "the mask stays");
        Assert.Throws<ArgumentException>(() => Backend.Optimizer.Mask(new(parameters, Zeros(count + 1))));
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IOptimizerOps ops = Backend.Optimizer;
        Tensor p = Zeros(4);
        Assert.Throws<ArgumentException>(() => ops.Sgd(new(p, Zeros(5), new(1, 0))));
        Assert.Throws<ArgumentException>(() => ops.Sgd(new(p, p, new(1, 0))));
        Assert.Throws<ArgumentException>(() => ops.Momentum(new(p, Zeros(4), Zeros(3), new(1, 0, 0))));
        Tensor state = Zeros(4);
        Assert.Throws<ArgumentException>(() => ops.Adam(new(p, Zeros(4), state, state, new(1, 0, 0, 1, 0, false, 1))));
        Assert.Throws<ArgumentException>(() => ops.Adadelta(new(p, Zeros(4), state, state, new(1, 0, 1, 0))));
        Assert.Throws<ArgumentOutOfRangeException>(() => ops.Adam(new(p, Zeros(4), state, Zeros(4), new(1, 0, 0, 1, 0, false, 0))));
        Assert.Throws<ArgumentException>(() => ops.ClipGlobalNorm(new(p, 1, Zeros(2))));
        Assert.Throws<ArgumentOutOfRangeException>(() => ops.ClipGlobalNorm(new(p, 0, Zeros(1))));
        Assert.Throws<InvalidOperationException>(() => ops.Sgd(new(p, Foreign(4), new(1, 0))));
        Assert.Throws<ObjectDisposedException>(() => ops.Sgd(new(Disposed(4), p, new(1, 0))));
    }

    private Action<Tensor, Tensor, Tensor[], int> AdamStep(bool decoupled) =>
        (p, g, s, step) => Backend.Optimizer.Adam(new(p, g, s[0], s[1], new(0.01f, 0.9f, 0.99f, 1e-6f, 0.02f, decoupled, step)));

    private static Func<double, double, double[], int, double> AdamRule(bool decoupled) => (p, g, s, step) =>
    {
        double slope = decoupled ? g : g + 0.02f * p;
        s[0] = 0.9f * s[0] + (1 - 0.9f) * slope;
        s[1] = 0.99f * s[1] + (1 - 0.99f) * slope * slope;
        if (decoupled) p -= 0.01f * 0.02f * p;
        return p - 0.01f * (s[0] / (1 - Math.Pow(0.9f, step))) / (Math.Sqrt(s[1] / (1 - Math.Pow(0.99f, step))) + 1e-6f);
    };

    private void Check(
        int count, int states, Action<Tensor, Tensor, Tensor[], int> step, Func<double, double, double[], int, double> rule)
    {
        double[] p = Numbers.Normal(count, 1).ToDoubles();
        double[][] s = [.. Enumerable.Range(0, count).Select(_ => new double[states])];
        Tensor parameters = Make(p, count);
        Tensor[] memories = [.. Enumerable.Range(0, states).Select(_ => Zeros(count))];
        for (int t = 1; t <= Steps; t++)
        {
            double[] g = Numbers.Normal(count, 10 + t).ToDoubles();
            Tensor gradients = Make(g, count);
            step(parameters, gradients, memories, t);
            for (int i = 0; i < count; i++) p[i] = rule(p[i], g[i], s[i], t);
            Close.Equal(p, parameters, Tolerance, 2 * Tolerance, $"parameters after step {t}");
            Close.Equal(g, gradients, 0, 0, "the gradients stay");
        }

        for (int k = 0; k < states; k++) Close.Equal(s.Select(x => x[k]).ToArray(), memories[k], Tolerance, 2 * Tolerance, $"state {k}");
    }
}

/// <summary>How tests of clipping hold it against its definition.</summary>
public abstract class ClippingChecks(DeviceFixture device) : OperationTests(device)
{
    protected void CheckClipping(int count)
    {
        double[] g = Numbers.Normal(count, 1).ToDoubles();
        double norm = Math.Sqrt(ReferenceMatrix.Dot(g, g));
        Tensor gradients = Make(g, count);
        Tensor length = Garbage(1);
        Backend.Optimizer.ClipGlobalNorm(new(gradients, (float)(norm * 2), length));
        Close.Equal([norm], length, 1e-6, 0, "norm"); // its sum is in double or compensated: one rounding
        Close.Equal(g, gradients, 0, 0, "short gradients stay");
        Backend.Optimizer.ClipGlobalNorm(new(gradients, 0.5f, length));
        Close.Equal([norm], length, 1e-6, 0, "norm before");
        Close.Equal(g.Select(x => x * Math.Min(1, 0.5 / (norm + 1e-6))).ToArray(), gradients, 1e-6, 0, "clipped"); // two roundings
    }
}
