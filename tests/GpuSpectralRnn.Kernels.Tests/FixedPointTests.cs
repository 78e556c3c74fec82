namespace GpuSpectralRnn.Kernels.Tests;

/// <summary>The integer functions of the kernels against double precision.</summary>
public class FixedPointTests
{
    private const double Error = 2e-9; // some units of 2^-32 in the logarithms, one of 2^-30 in the logistic function

    [Fact]
    public void Logit_is_right_from_the_first_word_to_the_last()
    {
        uint[] ends = [1, 2, 3, 4295, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xAAAAAAAA, uint.MaxValue - 1, uint.MaxValue];
        foreach (uint word in ends.Concat(Enumerable.Range(1, 100_003).Select(i => (uint)(i * 42947L))))
        {
            double u = word / 4294967296.0;
            Assert.Equal(Math.Log(u / (1 - u)), FixedPoint.Logit(word) / (double)FixedPoint.One, Error);
        }
    }

    [Fact]
    public void Sigmoid_is_right_over_its_whole_range()
    {
        for (int i = -100_000; i <= 100_000; i++)
        {
            double x = i * 3.1999e-4;
            Assert.Equal(1 / (1 + Math.Exp(-x)), FixedPoint.Sigmoid((long)(x * FixedPoint.One)) / (double)(1L << 30), Error);
        }

        Assert.Equal(1L << 29, FixedPoint.Sigmoid(0));
    }

    [Fact]
    public void The_ends_of_a_gates_uniform_number_are_a_millionth_off()
    {
        // 4295 = 1e-6 of 2^32; u is 4295 + w - floor(8590 w / 2^32) of word w
        (uint least, uint most) = (uint.MaxValue, 0);
        for (ulong i = 0; i < 10_000; i++)
        {
            uint u = HardConcrete.Uniform(3, 4, i);
            (least, most) = (Math.Min(least, u), Math.Max(most, u));
            Assert.Equal(1e-6 + (1 - 2e-6) * (Philox.Word(3, 4, i) / 4294967296.0), u / 4294967296.0, 5e-10);
        }

        Assert.InRange(least, 4295u, 10_000_000u);
        Assert.InRange(most, 4_280_000_000u, uint.MaxValue - 4294);
    }

    [Fact]
    public void The_uniform_number_of_one_half_leaves_log_alpha_alone() =>
        Assert.Equal(0.5f, HardConcrete.Sampled(0, 0x80000000), 1e-8f);
}
