using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Host;

public class HostGramSumsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 127)]
    [InlineData(11, 128)]
    [InlineData(12, 129)]
    [InlineData(13, 1023)]
    [InlineData(25, 1025)]
    [InlineData(128, 300)]
    public void Sums_equal_a_plain_double_loop(int units, int rows)
    {
        using HostBackend host = new();
        float[] x = States(rows, units);
        using HostGramSums gram = Sums(host, units);
        gram.Add(x, []);

        (double[] sums, double weight) = Read(gram);
        Assert.Equal(rows, weight);
        Close.Equal(Reference(x, units, _ => 1), sums, 1e-13, rows * 1e-15, "gram", units, units); // the same exact products in another order
    }

    [Fact]
    public void Weights_cover_rows_or_whole_steps_and_calls_add_up()
    {
        const int Steps = 6, Batch = 35, Units = 17;
        using HostBackend host = new();
        float[] x = States(Steps * Batch, Units);
        float[] perStep = [0.5f, 2, 0, 1, 3, 0.25f];
        using Tensor states = host.Allocate(new Shape(Steps, Batch, Units)), weights = host.Allocate(new Shape(Steps));
        states.CopyFrom<float>(x);
        weights.CopyFrom<float>(perStep);
        using GramSums gram = host.Spectral.CreateGram(Units);
        gram.Add(states, weights);

        double[] expected = Reference(x, Units, row => perStep[row / Batch]);
        (double[] sums, double weight) = Read(gram);
        Assert.Equal(Batch * 6.75, weight);
        Close.Equal(expected, sums, 1e-13, 1e-13, "per step"); // the square root of a weight is rounded once

        gram.Reset();
        float[] perRow = [.. Enumerable.Range(0, Steps * Batch).Select(row => perStep[row / Batch])];
        using Tensor rowWeights = host.Allocate(new Shape(Steps, Batch));
        rowWeights.CopyFrom<float>(perRow);
        for (int t = 0; t < Steps; t++) gram.Add(states.Slice(t), rowWeights.Slice(t));
        Close.Equal(expected, Read(gram).Sums, 1e-13, 1e-13, "per row, in shards");
    }

    [Fact]
    public void Rows_of_weight_zero_are_not_read()
    {
        using HostBackend host = new();
        using HostGramSums gram = Sums(host, 13);
        float[] x = States(4, 13);
        x.AsSpan(13, 13).Fill(float.NaN);
        gram.Add(x, [1, 0, 1, 1]);

        (double[] sums, double weight) = Read(gram);
        Assert.Equal(3, weight);
        Assert.All(sums, s => Assert.True(double.IsFinite(s)));
    }

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        float[] x = States(3000, 40);
        double[][] sums = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using HostBackend host = new(threads);
            using HostGramSums gram = Sums(host, 40);
            gram.Add(x, []);
            return Read(gram).Sums;
        })];

        Assert.Equal(sums[0], sums[1]);
        Assert.Equal(sums[0], sums[2]);
    }

    [Fact]
    public void Misfits_are_refused()
    {
        using HostBackend host = new();
        using HostGramSums gram = Sums(host, 4);
        using Tensor wide = host.Allocate(new Shape(2, 5));

        Assert.Throws<ArgumentException>(() => gram.Add(wide));
        Assert.Throws<ArgumentException>(() => gram.Add(new float[8], [1, 1, 1]));
        Assert.Throws<ArgumentException>(() => gram.Add(new float[8], [1, -1]));
        Assert.Throws<ArgumentException>(() => gram.Add(new float[8], [1, float.NaN]));
        Assert.Throws<ArgumentException>(() => gram.Read(new double[15]));
    }

    private static HostGramSums Sums(HostBackend host, int units) => Assert.IsType<HostGramSums>(host.Spectral.CreateGram(units));

    private static float[] States(int rows, int units)
    {
        Random random = new(rows + units);
        return [.. Enumerable.Range(0, rows * units).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static (double[] Sums, double Weight) Read(GramSums gram)
    {
        double[] sums = new double[gram.Units * gram.Units];
        double weight = gram.Read(sums);
        return (sums, weight);
    }

    private static double[] Reference(float[] x, int units, Func<int, double> weight)
    {
        double[] sums = new double[units * units];
        for (int row = 0; row < x.Length / units; row++)
            for (int i = 0; i < units; i++)
                for (int j = 0; j < units; j++) sums[i * units + j] += weight(row) * x[row * units + i] * x[row * units + j];
        return sums;
    }
}
