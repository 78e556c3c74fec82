using System.Runtime.InteropServices;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Data;

public sealed class NpyDataTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Sequences_without_targets_become_time_major()
    {
        NpyData data = NpyData.Load(Sequences());
        Batch batch = new(data.Layout, 2);
        data.Read([2, 0], batch);

        Assert.Equal(new SequenceLayout(2, 2, TargetKind.None, 0), data.Layout);
        Assert.Equal(3, data.Count);
        Assert.Equal([8, 9, 0, 1, 10, 11, 2, 3], batch.Inputs.ToArray()); // [T 2, B 2, I 2]
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read([3], batch));
    }

    [Fact]
    public void Integer_targets_are_labels()
    {
        foreach (string labels in new[] { Labels("<i4", 1, 0, 4), Put<long>("<i8", "(3,)", 1, 0, 4), Put<byte>("|u1", "(3,)", 1, 0, 4) })
        {
            NpyData data = NpyData.Load(Sequences(), labels);
            Batch batch = new(data.Layout, 3);
            data.Read([2, 1, 0], batch);

            Assert.Equal(new SequenceLayout(2, 2, TargetKind.Label, 5), data.Layout);
            Assert.Equal([4, 0, 1], batch.Labels.ToArray());
        }

        Assert.Equal(7, NpyData.Load(Sequences(), Labels("<i4", 1, 0, 4), classes: 7).Layout.Outputs);
    }

    [Fact]
    public void Real_targets_are_values()
    {
        NpyData data = NpyData.Load(Sequences(), Put<double>("<f8", "(3, 2)", 0, 1, 2, 3, 4, 5));
        Batch batch = new(data.Layout, 2);
        data.Read([2, 0], batch);

        Assert.Equal(new SequenceLayout(2, 2, TargetKind.Value, 2), data.Layout);
        Assert.Equal([4, 5, 0, 1], batch.Values.ToArray());
        Assert.Equal(1, NpyData.Load(Sequences(), Put<float>("<f4", "(3,)", 1, 2, 3)).Layout.Outputs);
    }

    [Fact]
    public void Lengths_go_with_the_sequences_and_padding_may_hold_anything()
    {
        string x = Put<float>("<f4", "(2, 3, 1)", 1, 2, 3, 4, float.NaN, 6);
        NpyData data = NpyData.Load(x, lengthsPath: Put<long>("<i8", "(2,)", 3, 1));
        Batch batch = new(data.Layout, 2);
        data.Read([1, 0], batch);

        Assert.Equal([1, 3], batch.Lengths.ToArray());
        Assert.Equal([4, 1, 0, 2, 0, 3], batch.Inputs.ToArray()); // [T 3, B 2, I 1]
        Assert.Contains("not a finite", Assert.Throws<InvalidCallException>(() => NpyData.Load(x)).Message);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        void Refused(string problem, string lengths) =>
            Assert.Contains(problem, Assert.Throws<InvalidCallException>(() => NpyData.Load(Sequences(), lengthsPath: lengths)).Message);
        Refused("length 3 of sequence 1 is outside 1 to 2", Put<int>("<i4", "(3,)", 1, 3, 2));
        Refused("length 0 of sequence 2", Put<int>("<i4", "(3,)", 1, 2, 0));
        Refused("length -1 of sequence 0", Put<long>("<i8", "(3,)", -1, 2, 2));
        Refused("one length for each of the 3 sequences", Put<int>("<i4", "(2,)", 1, 2));
        Refused("one length for each", Put<int>("<i4", "(3, 1)", 1, 2, 2));
        Refused("real numbers", Put<float>("<f4", "(3,)", 1, 2, 2));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Numbers_that_are_not_finite_are_refused_with_their_place(float value)
    {
        float[] numbers = new float[12];
        numbers[9] = value;
        string broken = Put("<f4", "(3, 2, 2)", numbers);

        Refuses(broken, null, null, "[2, 0, 1]");
        Refuses(Sequences(), Put("<f4", "(3, 4)", numbers), null, "[2, 1]");
        Refuses(Put("<f8", "(3, 2, 2)", [.. numbers.Select(n => n == 0 ? 0.0 : 1e300)]), null, null, "1E+300");
    }

    [Fact]
    public void Labels_out_of_range_are_refused_with_their_place()
    {
        Refuses(Sequences(), Labels("<i4", 0, -1, 1), null, "label -1 of sequence 1");
        Refuses(Sequences(), Labels("<i4", 0, 3, 2), 3, "label 3 of sequence 1");
        Refuses(Sequences(), Put("<i8", "(3,)", 0, 1, 1L << 33), null, "label 8589934592 of sequence 2");
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        Refuses(Put<float>("<f4", "(3, 2)", 0, 1, 2, 3, 4, 5), null, null, "[N, T, I]");
        Refuses(Put<float>("<f4", "(0, 2, 2)"), null, null, "no sequences");
        Refuses(Put<int>("<i4", "(1, 1, 1)", 3), null, null, "astype");
        Refuses(Sequences(), Put<int>("<i4", "(2,)", 0, 1), null, "3 sequences");
        Refuses(Sequences(), Put<int>("<i4", "()", 0), null, "3 sequences");
        Refuses(Sequences(), Put<int>("<i4", "(3, 1)", 0, 1, 2), null, "labels are [N]");
        Refuses(Sequences(), Put<float>("<f4", "(3, 0)"), null, "[N, D]");
        Refuses(Sequences(), Put<float>("<f4", "(3, 1, 1)", 0, 1, 2), null, "[N, D]");
        Refuses(folder.File("absent.npy"), null, null, "absent.npy");
    }

    private static void Refuses(string x, string? y, int? classes, string part) =>
        Assert.Contains(part, Assert.Throws<InvalidCallException>(() => NpyData.Load(x, y, classes)).Message, StringComparison.Ordinal);

    /// <summary>Three sequences of two steps of two inputs, counting 0 to 11.</summary>
    private string Sequences()
    {
        string path = folder.File("sequences.npy");
        NpyFile.Write(path, new Shape(3, 2, 2), new float[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 });
        return path;
    }

    private string Labels(string type, params int[] labels) => Put(type, $"({labels.Length},)", labels);

    private string Put<T>(string type, string shape, params T[] values)
        where T : unmanaged =>
        folder.Put(
            $"{Guid.NewGuid():N}.npy",
            NpyFileTests.Build(1, $"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}\n", MemoryMarshal.AsBytes<T>(values).ToArray()));
}
