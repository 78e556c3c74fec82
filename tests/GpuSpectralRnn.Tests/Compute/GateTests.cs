using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute;

public abstract class GateTests(DeviceFixture device) : OperationTests(device)
{
    private const double Gamma = -0.1, Zeta = 1.1, Beta = 2.0 / 3, Epsilon = 1e-6;

    // The fixed-point functions err by 2e-9, times 3/2 in the argument and less in the gate; a float next to 1 by 6e-8.
    private const double Rounding = 7e-8;

    private static readonly double Threshold = Math.Log(11);

    public static TheoryData<int> Counts => [1, 2, 3, 5, 15, 16, 17, 443, 5003];

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Gates_are_sampled_by_their_definition(int count)
    {
        float[] logAlpha = LogAlpha(count);
        Tensor z = Garbage(count);
        Backend.Gates.Sample(new(Make(logAlpha, count), 7, 0xFEDCBA9876543210, z));
        Close.Equal([.. logAlpha.Select((a, i) => Sampled(a, Uniform(7, 0xFEDCBA9876543210, i)))], z, 0, Rounding, "z");
        Assert.All(z.ToArray(), gate => Assert.InRange(gate, 0, 1));
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Gates_and_probabilities_are_the_bits_of_the_host(int count)
    {
        using HostBackend host = new(1);
        float[] logAlpha = LogAlpha(count);
        using Tensor there = host.Allocate(new Shape(count)), gates = host.Allocate(new Shape(count));
        there.CopyFrom<float>(logAlpha);
        Tensor here = Make(logAlpha, count), z = Garbage(count);

        host.Gates.Sample(new(there, 0x123456789ABCDEF0, 3, gates));
        Backend.Gates.Sample(new(here, 0x123456789ABCDEF0, 3, z));
        Assert.Equal(Bits(gates), Bits(z));
        host.Gates.TestGates(there, gates);
        Backend.Gates.TestGates(here, z);
        Assert.Equal(Bits(gates), Bits(z));
        host.Gates.OpenProbabilities(there, gates);
        Backend.Gates.OpenProbabilities(here, z);
        Assert.Equal(Bits(gates), Bits(z));
        host.Gates.Clamp(there);
        Backend.Gates.Clamp(here);
        Assert.Equal(Bits(there), Bits(here));
    }

    [SkippableFact]
    public void Draws_repeat_and_differ_by_seed_and_stream()
    {
        float[] Draw(ulong seed, ulong stream)
        {
            Tensor z = Zeros(64);
            Backend.Gates.Sample(new(z, seed, stream, z)); // in place
            return z.ToArray();
        }

        Assert.Equal(Draw(1, 1), Draw(1, 1));
        Assert.NotEqual(Draw(1, 1), Draw(2, 1));
        Assert.NotEqual(Draw(1, 1), Draw(1, 2));
    }

    [SkippableFact]
    public void As_many_gates_are_open_as_their_probability_says()
    {
        const int Count = 100_000;
        float[] kinds = [-3, -1.5986f, 0, 1, 3];
        int each = Count / kinds.Length;
        Tensor logAlpha = Make([.. Enumerable.Range(0, Count).Select(i => kinds[i % kinds.Length])], Count);
        Tensor z = Garbage(Count);
        Backend.Gates.Sample(new(logAlpha, 5, 9, z));
        float[] gates = z.ToArray();
        for (int kind = 0; kind < kinds.Length; kind++)
        {
            double p = Open(kinds[kind]), full = Logistic(kinds[kind] - Beta * Threshold); // P(z = 1), by symmetry
            float[] own = [.. gates.Where((_, i) => i % kinds.Length == kind)];
            Close.Equal(p, own.Average(gate => gate == 0 ? 0.0 : 1), 0, 5 * Math.Sqrt(p * (1 - p) / each), $"open at {kinds[kind]}"); // five standard errors
            Close.Equal(full, own.Average(gate => gate == 1 ? 1.0 : 0), 0, 5 * Math.Sqrt(full * (1 - full) / each), $"full at {kinds[kind]}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void The_gradient_of_sampled_gates_flows_between_0_and_1(int count)
    {
        float[] logAlpha = LogAlpha(count), d = Numbers.Normal(count, 2), before = Numbers.Normal(count, 3);
        Tensor z = Garbage(count), gradient = Make(before, count);
        Backend.Gates.Sample(new(Make(logAlpha, count), 7, 1, z));
        Backend.Gates.SampleBackward(new(z, Make(d, count), gradient));
        double[] expected = [.. logAlpha.Select((a, i) => before[i] + (double)d[i] * SampledSlope(a, Uniform(7, 1, i)))];
        Close.Equal(expected, gradient, 5e-7, 1e-6, "log alpha"); // a slope of at most 0.45 of gates to 7e-8, times numbers of up to 4; terms may cancel
    }

    [SkippableFact]
    public void Clipped_gates_pass_no_gradient_not_even_NaN()
    {
        Tensor gradient = Make([1f, 2f, 3f], 3);
        Backend.Gates.SampleBackward(new(Make([0f, 1f, 0.5f], 3), Make([float.NaN, float.PositiveInfinity, 1f], 3), gradient));
        Close.Equal([1, 2, 3 + 1.25 * 0.6 * 0.6], gradient, 3e-7, 0, "log alpha");
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Gates_of_tests_are_right(int count)
    {
        float[] logAlpha = LogAlpha(count);
        Tensor z = Garbage(count), own = Make(logAlpha, count);
        Backend.Gates.TestGates(own, z);
        Close.Equal([.. logAlpha.Select(a => Clip(Logistic(a)))], z, 0, Rounding, "z");
        Backend.Gates.TestGates(own, own);
        Assert.Equal(Bits(z), Bits(own));
    }

    [SkippableFact]
    public void Gates_of_tests_are_exactly_0_and_1_from_the_thresholds_on()
    {
        // the floats on both sides of log 11
        float at = (float)Threshold, inside = at < Threshold ? at : MathF.BitDecrement(at), outside = MathF.BitIncrement(inside);
        Assert.True(inside < Threshold && outside > Threshold);
        Assert.Equal(2.3979, Threshold, 4);
        float[] logAlpha =
        [
            -outside, -inside, inside, outside, -2.4f, -2.39f, 2.39f, 2.4f, -25, 25, float.NegativeInfinity, float.PositiveInfinity,
        ];
        Tensor z = Garbage(logAlpha.Length);
        Backend.Gates.TestGates(Make(logAlpha, logAlpha.Length), z);
        float[] gates = z.ToArray();
        for (int i = 0; i < gates.Length; i++)
        {
            Assert.Equal(logAlpha[i] <= -Threshold, gates[i] == 0);
            Assert.Equal(logAlpha[i] >= Threshold, gates[i] == 1);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Probabilities_and_their_gradients_are_right(int count)
    {
        float[] logAlpha = LogAlpha(count), d = Numbers.Normal(count, 2), before = Numbers.Normal(count, 3);
        Tensor own = Make(logAlpha, count), p = Garbage(count), gradient = Make(before, count);
        Backend.Gates.OpenProbabilities(own, p);
        Close.Equal([.. logAlpha.Select(a => Open(a))], p, 0, Rounding, "p");
        Backend.Gates.OpenProbabilitiesBackward(new(own, Make(d, count), gradient));
        double[] expected = [.. logAlpha.Select((a, i) => before[i] + d[i] * Open(a) * (1 - Open(a)))];
        Close.Equal(expected, gradient, 2e-7, 5e-7, "log alpha"); // two roundings of numbers of up to 4; the terms may cancel
    }

    [SkippableFact]
    public void Log_alpha_is_clamped()
    {
        float[] logAlpha = [-5, -4.7f, -4.6f, 0, 4.6f, 4.7f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e-30f];
        Tensor own = Make(logAlpha, logAlpha.Length);
        Backend.Gates.Clamp(own);
        (float low, float high) = ((float)Math.Log(1e-2), (float)Math.Log(1e2));
        Assert.Equal([low, low, -4.6f, 0, 4.6f, high, high, low, float.NaN, 1e-30f], own.ToArray());
    }

    [SkippableFact]
    public void NaN_stays_NaN()
    {
        Tensor logAlpha = Make([float.NaN, 0f], 2), y = Zeros(2);
        Backend.Gates.Sample(new(logAlpha, 1, 2, y));
        Assert.Equal([true, false], y.ToArray().Select(float.IsNaN));
        Backend.Gates.TestGates(logAlpha, y);
        Assert.Equal([true, false], y.ToArray().Select(float.IsNaN));
        Backend.Gates.OpenProbabilities(logAlpha, y);
        Assert.Equal([true, false], y.ToArray().Select(float.IsNaN));
    }

    [Fact]
    public void The_references_agree_with_finite_differences()
    {
        double[] x = Numbers.Normal(61, 4).ToDoubles(), u = [.. Enumerable.Range(0, 61).Select(i => Uniform(1, 2, i))];
        double[] drawn = FiniteDifferences.Gradient(() => x.Select((a, i) => Sampled(a, u[i])).Sum(), x);
        Close.Equal([.. x.Select((a, i) => SampledSlope(a, u[i]))], drawn, 1e-8, 1e-9, "z");
        double[] open = FiniteDifferences.Gradient(() => x.Sum(Open), x);
        Close.Equal([.. x.Select(a => Open(a) * (1 - Open(a)))], open, 1e-8, 1e-9, "p");
    }

    // lambda [sum_ij p(z_i) p(s_j) + sum_j p(s_j) + sum_{i != j} p(s_i) p(s_j)], composed of sums that stay on the device.
    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(28, 128)]
    [InlineData(17, 443)]
    public void The_expected_number_of_weights_and_its_gradient_stay_on_the_device(int inputs, int units)
    {
        const double Multiplier = 0.37;
        float[] a = LogAlpha(inputs), b = [.. LogAlpha(inputs + units).Skip(inputs)];
        double[] aa = a.ToDoubles(), bb = b.ToDoubles();
        double Expected() => aa.Sum(Open) * bb.Sum(Open) + bb.Sum(Open) + bb.Sum(Open) * bb.Sum(Open) - bb.Sum(x => Open(x) * Open(x));

        (Tensor z, Tensor s, Tensor lambda) = (Make(a, inputs), Make(b, units), Make([(float)Multiplier], 1));
        (Tensor pz, Tensor ps) = (Garbage(inputs, 1), Garbage(units, 1));
        (Tensor sumZ, Tensor sumS, Tensor total) = (Garbage(1), Garbage(1), Zeros(1));
        Backend.Gates.OpenProbabilities(z, pz);
        Backend.Gates.OpenProbabilities(s, ps);
        Backend.Matrix.ColumnSums(new(pz, 0, sumZ));
        Backend.Matrix.ColumnSums(new(ps, 0, sumS));
        Backend.Matrix.ColumnDots(new(ps, ps, 0, total)); // sum p(s)^2
        Tensor squares = Zeros(1);
        Backend.Copy(total, squares);
        Backend.Fill(total, 0);
        Backend.Elementwise.AddMultiple(new(1, sumZ, sumS, total));
        Backend.Elementwise.AddMultiple(new(1, sumS, sumS, total));
        Backend.Elementwise.AddScaled(1, sumS, total);
        Backend.Elementwise.AddScaled(-1, squares, total);
        Close.Equal([Expected()], total, 2e-6, 0, "expected weights"); // sums of up to 443 numbers of one sign, and what the diagonal takes away

        (Tensor dpz, Tensor dps, Tensor dz, Tensor ds) = (Zeros(inputs), Zeros(units), Zeros(inputs), Zeros(units));
        (Tensor forZ, Tensor forS) = (Zeros(1), Zeros(1));
        Backend.Elementwise.AddMultiple(new(1, lambda, sumS, forZ));
        Backend.Elementwise.AddMultiple(new(1, forZ, null, dpz)); // lambda P(s)
        Backend.Elementwise.AddMultiple(new(1, lambda, sumZ, forS));
        Backend.Elementwise.AddMultiple(new(2, lambda, sumS, forS));
        Backend.Elementwise.AddScaled(1, lambda, forS);
        Backend.Elementwise.AddMultiple(new(1, forS, null, dps)); // lambda (P(z) + 1 + 2 P(s))
        Backend.Elementwise.AddMultiple(new(-2, lambda, ps, dps)); // - 2 lambda p(s_j)
        Backend.Gates.OpenProbabilitiesBackward(new(z, dpz, dz));
        Backend.Gates.OpenProbabilitiesBackward(new(s, dps, ds));
        Close.Equal(FiniteDifferences.Gradient(() => Multiplier * Expected(), aa), dz, 3e-6, 1e-6, "dz");
        Close.Equal(FiniteDifferences.Gradient(() => Multiplier * Expected(), bb), ds, 3e-6, 1e-6, "ds");
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Multiples_by_a_number_of_the_device_are_added(int count)
    {
        float[] x = Numbers.Normal(count, 1), y = Numbers.Normal(count, 2);
        Tensor number = Make([1.7f], 1), terms = Make(x, count), sum = Make(y, count);
        Backend.Elementwise.AddMultiple(new(-0.3f, number, terms, sum));
        double factor = (double)-0.3f * 1.7f;
        Close.Equal([.. y.Zip(x, (v, w) => v + factor * w)], sum, 2e-7, 5e-7, "y"); // three roundings; the terms may cancel
        Backend.Elementwise.AddMultiple(new(2, number, null, terms));
        Close.Equal([.. x.Select(v => v + 2 * (double)1.7f)], terms, 1e-7, 3e-7, "x + 3.4");
        float[] before = sum.ToArray();
        Backend.Elementwise.AddMultiple(new(1, number, sum, sum));
        Close.Equal([.. before.Select(v => (1 + (double)1.7f) * v)], sum, 2e-7, 0, "y + 1.7 y");
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IGateOps gates = Backend.Gates;
        Tensor x = Zeros(8), window = x.View(0, 4), shifted = x.View(1, 4);
        Assert.Throws<ArgumentException>(() => gates.Sample(new(Zeros(3), 1, 2, Zeros(4))));
        Assert.Throws<ArgumentException>(() => gates.Sample(new(window, 1, 2, shifted)));
        Assert.Throws<ArgumentException>(() => gates.SampleBackward(new(window, Zeros(4), window)));
        Assert.Throws<ArgumentException>(() => gates.SampleBackward(new(Zeros(4), Zeros(3), Zeros(4))));
        Assert.Throws<ArgumentException>(() => gates.TestGates(MakeIntegers(1, 2, 3, 4), Zeros(4)));
        Assert.Throws<ArgumentException>(() => gates.OpenProbabilities(Zeros(4), Zeros(5)));
        Assert.Throws<ArgumentException>(() => gates.OpenProbabilitiesBackward(new(Zeros(4), window, shifted)));
        Assert.Throws<ArgumentException>(() => gates.Clamp(MakeIntegers(1)));
        Assert.Throws<ArgumentException>(() => Backend.Elementwise.AddMultiple(new(1, Zeros(2), Zeros(4), Zeros(4))));
        Assert.Throws<ArgumentException>(() => Backend.Elementwise.AddMultiple(new(1, x.View(1, 1), Zeros(4), window)));
        Assert.Throws<InvalidOperationException>(() => gates.Clamp(Foreign(4)));
        Assert.Throws<ObjectDisposedException>(() => gates.TestGates(Disposed(4), Zeros(4)));
    }

    // Some beyond the thresholds, the clamp's ends and what counts.
    private static float[] LogAlpha(int count) => [.. Numbers.Normal(count, 1).Select((x, i) => i % 50 == 49 ? 30 * x : 2.5f * x)];

    private static int[] Bits(Tensor x) => Array.ConvertAll(x.ToArray(), BitConverter.SingleToInt32Bits);

    private static double Uniform(ulong seed, ulong stream, int index) =>
        Epsilon + (1 - 2 * Epsilon) * Philox.Word(seed, stream, (ulong)index) / 4294967296.0;

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

    private static double Clip(double s) => Math.Clamp(s * (Zeta - Gamma) + Gamma, 0, 1);

    private static double Stretched(double logAlpha, double u) => Logistic((Math.Log(u) - Math.Log(1 - u) + logAlpha) / Beta);

    private static double Sampled(double logAlpha, double u) => Clip(Stretched(logAlpha, u));

    private static double SampledSlope(double logAlpha, double u)
    {
        double s = Stretched(logAlpha, u), z = s * (Zeta - Gamma) + Gamma;
        return z > 0 && z < 1 ? (Zeta - Gamma) * s * (1 - s) / Beta : 0;
    }

    private static double Open(double logAlpha) => Logistic(logAlpha - Beta * Math.Log(-Gamma / Zeta));
}
