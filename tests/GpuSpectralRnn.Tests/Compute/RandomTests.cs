using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

public abstract class RandomTests(DeviceFixture device) : OperationTests(device)
{
    public static TheoryData<int> Counts => [1, 2, 3, 4, 5, 15, 16, 17, 443, 5003];

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Uniform_numbers_are_the_words_of_Philox(int count)
    {
        Tensor x = Garbage(count);
        Backend.Random.Uniform(new(x, Seed: 0x123456789ABCDEF0, Stream: 0xFEDCBA9876543210, Low: 0, High: 1));
        float[] expected = [.. Enumerable.Range(0, count).Select(i => Philox.Uniform(0x123456789ABCDEF0, 0xFEDCBA9876543210, (ulong)i))];
        Assert.Equal(expected, x.ToArray());
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Dropout_drops_by_the_words_of_Philox(int count)
    {
        Tensor x = Random(3, count);
        Tensor y = Garbage(count);
        Backend.Random.Dropout(new(x, 0.3f, Seed: 7, Stream: 0xFEDCBA9876543210, y));
        float scale = 1 / (1 - 0.3f);
        float[] expected = [.. x.ToArray().Select((v, i) => Philox.Uniform(7, 0xFEDCBA9876543210, (ulong)i) < 0.3f ? 0 : scale * v)];
        Assert.Equal(expected, y.ToArray());
        Backend.Random.Dropout(new(x, 0.3f, Seed: 7, Stream: 0xFEDCBA9876543210, x)); // in place
        Assert.Equal(expected, x.ToArray());
        Backend.Random.Dropout(new(x, 0, 1, 2, y));
        Assert.Equal(expected, y.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => Backend.Random.Dropout(new(x, 1, 1, 2, y)));
        Assert.Throws<ArgumentException>(() => Backend.Random.Dropout(new(x, 0.5f, 1, 2, Zeros(count + 1))));
    }

    [SkippableTheory]
    [InlineData(1, 5, 0, 5, 3)] // all of it
    [InlineData(3, 5, 2, 2, 3)]
    [InlineData(7, 20, 5, 5, 8)] // periods at multiples of four
    [InlineData(7, 20, 17, 3, 1)]
    [InlineData(4, 9, 8, 1, 443)]
    public void A_part_of_the_rows_has_the_numbers_that_it_has_in_the_whole(int steps, int rows, int first, int size, int width)
    {
        float[] whole = Numbers.Normal(steps * rows * width, 3);
        Tensor all = Make(whole, steps * rows * width), y = Garbage(steps * rows * width);
        Backend.Random.Dropout(new(all, 0.3f, 7, 9, y));
        float[] part = Part(whole), expected = Part(y.ToArray());
        Tensor x = Make(part, part.Length);
        Backend.Random.Dropout(new(x, 0.3f, 7, 9, x) { Numbers = NumberWindow.OfRows(first, size, rows, width) });
        Assert.Equal(expected, x.ToArray());

        Backend.Random.Normal(new(y, 7, 9, 0, 1));
        Backend.Random.Normal(new(x, 7, 9, 0, 1) { Numbers = NumberWindow.OfRows(first, size, rows, width) });
        Assert.Equal(Part(y.ToArray()), x.ToArray());

        float[] Part(float[] values) =>
            [.. Enumerable.Range(0, steps).SelectMany(t => values.Skip(((t * rows) + first) * width).Take(size * width))];
    }

    // Salmon et al.'s known answers for Philox4x32-10 (Random123, kat_vectors): counter and key all zero, all ones.
    [Fact]
    public void Philox_gives_the_known_answers()
    {
        Philox.Block zero = Philox.Generate(0, 0, 0);
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), (zero.X, zero.Y, zero.Z, zero.W));
        Philox.Block ones = Philox.Generate(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue);
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), (ones.X, ones.Y, ones.Z, ones.W));
    }

    [SkippableFact]
    public void A_uniform_range_is_kept_at_both_ends()
    {
        Tensor x = Garbage(4001);
        Backend.Random.Uniform(new(x, 1, 2, 1e8f, 1e8f + 16)); // two steps of single precision: rounding must not reach the end
        Assert.All(x.ToArray(), v => Assert.InRange(v, 1e8f, 1e8f + 8));
        Backend.Random.Uniform(new(x, 1, 2, -3, 5));
        float[] values = x.ToArray();
        Assert.All(values, v => Assert.InRange(v, -3, MathF.BitDecrement(5)));
        Close.Equal(1, values.Average(), 0, 5 * 8 / Math.Sqrt(12 * 4001), "mean"); // five standard errors
    }

    [SkippableTheory]
    [MemberData(nameof(Counts))]
    public void Normal_numbers_follow_Box_and_Muller(int count)
    {
        Tensor x = Garbage(count);
        Backend.Random.Normal(new(x, 99, 7, 1.5f, 2));
        double[] expected = new double[count];
        for (int i = 0; i < count; i++)
        {
            ulong pair = 2 * (ulong)i;
            double u = Philox.Uniform(99, 7, pair);
            double v = Philox.Uniform(99, 7, pair + 1);
            expected[i] = 1.5 + 2 * Math.Sqrt(-2 * Math.Log(1 - u)) * Math.Cos(2 * Math.PI * v);
        }

        // an angle of up to 2 pi in single precision moves the cosine by 4e-7, times 2 times a radius of up to 5
        Close.Equal(expected, x, 2e-6, 4e-6, "normal");
    }

    [SkippableFact]
    public void Normal_numbers_have_the_moments_of_a_normal_distribution()
    {
        const int Count = 40000;
        Tensor x = Garbage(Count);
        Backend.Random.Normal(new(x, 3, 0, 0, 1));
        double[] values = x.ToArray().ToDoubles();
        double error = 5 / Math.Sqrt(Count); // five standard errors of a mean of unit variance
        Close.Equal(0, values.Average(), 0, error, "mean");
        Close.Equal(1, values.Average(v => v * v), 0, error * Math.Sqrt(2), "variance");
        Close.Equal(3, values.Average(v => v * v * v * v), 0, error * Math.Sqrt(96), "fourth moment");
        Close.Equal(0, Enumerable.Range(0, Count / 2).Average(i => values[2 * i] * values[2 * i + 1]), 0, error * Math.Sqrt(2), "neighbours");
    }

    [SkippableFact]
    public void Seeds_and_streams_differ_and_repeat()
    {
        float[] Draw(ulong seed, ulong stream)
        {
            Tensor x = Garbage(64);
            Backend.Random.Normal(new(x, seed, stream, 0, 1));
            return x.ToArray();
        }

        Assert.Equal(Draw(1, 1), Draw(1, 1));
        Assert.NotEqual(Draw(1, 1), Draw(2, 1));
        Assert.NotEqual(Draw(1, 1), Draw(1, 2));
    }

    [SkippableFact]
    public void Refuse_what_cannot_be()
    {
        Tensor x = Zeros(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => Backend.Random.Uniform(new(x, 1, 1, 2, 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backend.Random.Uniform(new(x, 1, 1, 0, float.NaN)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backend.Random.Normal(new(x, 1, 1, 0, -1)));
        Assert.Throws<ArgumentException>(() => Backend.Random.Normal(new(MakeIntegers(1, 2), 1, 1, 0, 1)));
        Assert.Throws<InvalidOperationException>(() => Backend.Random.Normal(new(Foreign(3), 1, 1, 0, 1)));
        Assert.Throws<ObjectDisposedException>(() => Backend.Random.Uniform(new(Disposed(3), 1, 1, 0, 1)));
    }
}
