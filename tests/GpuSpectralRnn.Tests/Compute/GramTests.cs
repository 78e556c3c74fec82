using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Second moments.</summary>
public abstract class GramTests(DeviceFixture device) : OperationTests(device)
{
    // The relative error of a sum: in double precision, or as pairs of singles (2^-47 for each product, 2^-45 in a sum of many).
    private double Precision => Backend.Device.HasFloat64 ? 1e-13 : 1e-11;

    [SkippableTheory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 63)]
    [InlineData(4, 64)]
    [InlineData(5, 65)]
    [InlineData(17, 1)]
    [InlineData(12, 129)]
    [InlineData(25, 1025)]
    [InlineData(33, 443)]
    [InlineData(130, 7)]
    public void Second_moments_equal_a_plain_double_loop(int units, int rows)
    {
        float[] x = Numbers.Normal((long)rows * units, 1);
        using GramAccumulator gram = Backend.Spectral.CreateGram(units);
        gram.Add(new(Make(x, rows, units)));
        (double[] sums, double weight) = Read(gram);
        Assert.Equal(rows, weight);
        Close.Equal(Reference(x, units, _ => 1), sums, Precision, Precision * rows, "sums", units, units);
        for (int i = 0; i < units; i++)
            for (int j = 0; j < i; j++) Assert.Equal(sums[i * units + j], sums[j * units + i]);

        gram.Add(new(Make(x, rows, units)));
        Assert.Equal(2.0 * rows, Read(gram).Weight);
        gram.Reset();
        gram.Add(new(Make(x, rows, units)));
        Assert.Equal(sums, Read(gram).Sums); // the same bits again
    }

    [SkippableFact]
    public void Weights_cover_rows_or_whole_steps_and_calls_add_up()
    {
        const int Steps = 6, Batch = 35, Units = 17;
        float[] x = Numbers.Normal(Steps * Batch * Units, 2);
        float[] perStep = [0.5f, 2, 0, 1, 3, 0.3f];
        double[] expected = Reference(x, Units, row => perStep[row / Batch]);
        x.AsSpan(2 * Batch * Units, Batch * Units).Fill(float.NaN); // rows of weight zero are not read
        Tensor states = Make(x, Steps, Batch, Units);
        using GramAccumulator gram = Backend.Spectral.CreateGram(Units);
        gram.Add(new(states, Make(perStep, Steps)));
        (double[] sums, double weight) = Read(gram);
        Assert.Equal(Batch * perStep.Sum(w => (double)w), weight, 1e-9);
        Close.Equal(expected, sums, Precision, Precision * Steps * Batch, "per step");

        gram.Reset();
        gram.Add(new(states, Make(perStep, Steps), weight)); // a sum that is known changes nothing
        (double[] again, double known) = Read(gram);
        Assert.Equal(weight, known, 1e-9);
        Assert.Equal(sums, again);

        gram.Reset();
        Tensor perRow = Make(Enumerable.Range(0, Steps * Batch).Select(row => perStep[row / Batch]).ToArray(), Steps, Batch);
        for (int t = 0; t < Steps; t++) gram.Add(new(states.Slice(t), perRow.Slice(t)));
        Close.Equal(expected, Read(gram).Sums, Precision, Precision * Steps * Batch, "per row, in shards");
    }

    [SkippableFact]
    public void Sums_refuse_what_does_not_fit()
    {
        using GramAccumulator gram = Backend.Spectral.CreateGram(4);
        Assert.Throws<ArgumentException>(() => gram.Add(new(Zeros(2, 5))));
        Assert.Throws<ArgumentException>(() => gram.Add(new(Zeros(2, 4), Zeros(3))));
        Assert.Throws<ArgumentException>(() => gram.Add(new(Zeros(2, 4), Make(new float[] { 1, -1 }, 2))));
        Assert.Throws<ArgumentException>(() => gram.Add(new(Zeros(2, 4), Make(new float[] { 1, float.NaN }, 2))));
        Assert.Throws<ArgumentException>(() => gram.Read(new double[15]));
        Assert.Throws<InvalidOperationException>(() => gram.Add(new(Foreign(2, 4))));
        Assert.Throws<ArgumentOutOfRangeException>(() => Backend.Spectral.CreateGram(0));
    }

    private static (double[] Sums, double Weight) Read(GramAccumulator gram)
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
