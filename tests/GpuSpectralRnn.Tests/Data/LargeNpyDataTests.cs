using System.Runtime.InteropServices;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Data;

/// <summary>Sets that are not kept in memory, and sets of several files.</summary>
public sealed class LargeNpyDataTests : IDisposable
{
    private const int Count = 23, Steps = 5, Inputs = 3;
    private const long All = long.MaxValue, None = 0; // bytes that are kept

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("<f4", false)]
    [InlineData("<f4", true)]
    [InlineData("<f8", false)]
    [InlineData("<f2", true)]
    public void Batches_are_those_of_a_set_in_memory_to_the_bit(string type, bool hasValues)
    {
        string x = folder.File("x.npy"), parts = folder.File("x-*.npy"), lengths = folder.File("lengths-*.npy");
        Put(x, type, 0, Count);
        (int First, int Rows)[] cuts = [(0, 7), (7, 1), (8, 0), (8, 11), (19, 4)];
        for (int i = 0; i < cuts.Length; i++)
        {
            Put(folder.File($"x-{i + 8}.npy"), type, cuts[i].First, cuts[i].Rows); // 8, 9, 10, 11, 12
            Put(folder.File($"lengths-{i + 8}.npy"), Enumerable.Range(cuts[i].First, cuts[i].Rows).Select(n => 1 + (n % Steps)));
            PutReals(folder.File($"y-{i + 8}.npy"), "<f4", cuts[i].Rows, $"{cuts[i].Rows}, 2", cuts[i].First * 2);
        }

        Put(folder.File("lengths.npy"), Enumerable.Range(0, Count).Select(n => 1 + (n % Steps)));
        Put(folder.File("labels.npy"), Enumerable.Range(0, Count).Select(n => n % 4));
        PutReals(folder.File("y.npy"), "<f4", Count, $"{Count}, 2", 0);
        string whole = folder.File(hasValues ? "y.npy" : "labels.npy"), split = hasValues ? folder.File("y-*.npy") : whole;

        NpyData kept = NpyData.Load(x, whole, lengthsPath: folder.File("lengths.npy"), mostKept: All);
        using NpyData one = NpyData.Load(x, whole, lengthsPath: folder.File("lengths.npy"), mostKept: None);
        using NpyData several = NpyData.Load(parts, split, lengthsPath: lengths, mostKept: None);
        NpyData together = NpyData.Load(parts, split, lengthsPath: lengths, mostKept: All);

        Assert.True(kept.IsKept && together.IsKept && !one.IsKept && !several.IsKept);
        byte[] expected = Pass(kept);
        Assert.Equal(expected, Pass(one));
        Assert.Equal(expected, Pass(several));
        Assert.Equal(expected, Pass(together));
        Assert.Equal(ContentHash.Compute(kept), ContentHash.Compute(several));
        Assert.Equal(Pass(new Subset(kept, 3, 17)), Pass(new Subset(several, 3, 17)));
        Assert.Equal(Pass(new MixedInputs(kept, 5)), Pass(new MixedInputs(several, 5)));
    }

    [Theory]
    [InlineData(None)]
    [InlineData(All)]
    public void A_number_that_is_not_finite_is_named_by_file_row_and_step(long mostKept)
    {
        float[] numbers = Reals(0, 4 * Steps * Inputs);
        numbers[(((2 * Steps) + 4) * Inputs) + 1] = float.NaN;
        Put(folder.File("p-1.npy"), "<f4", 0, 3);
        folder.Put("p-2.npy", Bytes("<f4", $"4, {Steps}, {Inputs}", MemoryMarshal.AsBytes<float>(numbers)));

        InvalidCallException error = Assert.Throws<InvalidCallException>(() => Pass(NpyData.Load(folder.File("p-*.npy"), mostKept: mostKept)));

        Assert.Contains("p-2.npy: the value at [2, 4, 1] (sequence, step, input) is NaN", error.Message, StringComparison.Ordinal);
        Put(folder.File("lengths.npy"), [5, 5, 5, 5, 5, 4, 5]); // the step is padding
        Assert.NotEmpty(Pass(NpyData.Load(folder.File("p-*.npy"), lengthsPath: folder.File("lengths.npy"), mostKept: mostKept)));
    }

    [Fact]
    public void What_is_not_asked_for_is_not_read()
    {
        float[] numbers = Reals(0, 2 * Steps * Inputs);
        numbers[^1] = float.PositiveInfinity;
        using NpyData data = NpyData.Load(folder.Put("x.npy", Bytes("<f4", $"2, {Steps}, {Inputs}", MemoryMarshal.AsBytes<float>(numbers))), mostKept: None);
        Batch batch = new(data.Layout, 1);

        data.Read([0], batch);

        Assert.Contains("[1, 4, 2]", Assert.Throws<InvalidCallException>(() => data.Read([1], batch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_numbers_than_an_array_holds_are_read_and_written()
    {
        Shape shape = new(90_000, 160, 150); // 2,160,000,000 numbers, 8.6 GB, most of them holes in the file
        string path = folder.File("sparse.npy");
        NpyFile.Write(path, shape, write =>
        {
            write(shape[0] - 1, [.. Enumerable.Range(0, 160 * 150).Select(i => (float)i)]);
            write(7, [.. Enumerable.Repeat(7f, 160 * 150)]);
        });
        using NpyData data = NpyData.Load(path);
        Batch batch = new(data.Layout, 3);
        long before = GC.GetAllocatedBytesForCurrentThread();

        data.Expect([shape[0] - 1, 7, 8]);
        data.Read([shape[0] - 1, 7, 8], batch);

        Assert.True(shape.Count > int.MaxValue && !data.IsKept);
        Assert.Equal(90_000, data.Count);
        for (int t = 0; t < 160; t++)
        {
            Assert.Equal((t * 150) + 149f, batch.Inputs[(((t * 3) + 0) * 150) + 149]);
            Assert.Equal(7f, batch.Inputs[((t * 3) + 1) * 150]);
            Assert.Equal(0f, batch.Inputs[((t * 3) + 2) * 150]);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
    }

    [Fact]
    public void A_set_may_have_more_files_than_are_open_at_a_time()
    {
        const int files = 150;
        for (int i = 0; i < files; i++) Put(folder.File($"part-{i}.npy"), "<f4", i * 2, 2);
        using NpyData data = NpyData.Load(folder.File("part-*.npy"), mostKept: None);
        Put(folder.File("whole.npy"), "<f4", 0, files * 2);

        Assert.Equal(Pass(NpyData.Load(folder.File("whole.npy"))), Pass(data));
        Batch batch = new(data.Layout, 1);
        Put(folder.File("part-0.npy"), "<f4", 0, 1); // another array, while the set is in use
        data.Read([100], batch);
        for (int n = 0; n < 150; n++) data.Read([150 + n], batch);
        Assert.Contains("replaced", Assert.Throws<BrokenFileException>(() => data.Read([1], batch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_do_not_belong_together_are_refused()
    {
        Put(folder.File("a-1.npy"), "<f4", 0, 3);
        folder.Put("a-2.npy", Bytes("<f4", "1, 2, 2", new byte[16]));
        Refused("a-1.npy has the shape [3, 5, 3] but", "a-*.npy");
        Put(folder.File("a-2.npy"), "<f8", 0, 3);
        Refused("of type <f4 but", "a-*.npy");
        folder.Put("a-2.npy", Bytes("<f4", "3, 5, 3", new byte[100]));
        Assert.Contains("truncated", Assert.Throws<BrokenFileException>(() => NpyData.Load(folder.File("a-*.npy"))).Message, StringComparison.Ordinal);
        Put(folder.File("a-2.npy"), "<f4", 3, 4);
        Put(folder.File("y-1.npy"), Enumerable.Repeat(1, 4));
        Put(folder.File("y-2.npy"), Enumerable.Repeat(1, 3));
        Refused("holds 3 sequences but", "a-*.npy", "y-*.npy");
        Refused("No file is called", "b-*.npy");
        Refused("not of its folder", Path.Combine("*", "b.npy"));

        void Refused(string problem, string x, string? y = null) => Assert.Contains(
            problem, Assert.Throws<InvalidCallException>(() => NpyData.Load(folder.File(x), y is null ? null : folder.File(y))).Message, StringComparison.Ordinal);
    }

    /// <summary>Everything that two shuffled epochs and one in order give, for odd and even batches.</summary>
    private static byte[] Pass(ISequenceData data)
    {
        List<byte> all = [];
        foreach (int size in new[] { 4, 7 })
        {
            BatchReader reader = new(data, size);
            for (int epoch = 0; epoch < 3; epoch++)
            {
                if (epoch == 2) reader.Restart();
                else reader.RestartShuffled(9, epoch);
                while (reader.Next())
                {
                    all.AddRange(MemoryMarshal.AsBytes(reader.Numbers));
                    all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Inputs));
                    all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Lengths));
                    all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Labels));
                    all.AddRange(MemoryMarshal.AsBytes(reader.Batch.Values));
                }
            }
        }

        return [.. all];
    }

    private static float[] Reals(int first, int count) => [.. Enumerable.Range(first, count).Select(i => MathF.Sin(i * 0.37f))];

    private void Put(string path, string type, int first, int rows) => PutReals(path, type, rows, $"{rows}, {Steps}, {Inputs}", first * Steps * Inputs);

    private static void PutReals(string path, string type, int rows, string shape, int first)
    {
        int width = shape.EndsWith($"{Steps}, {Inputs}", StringComparison.Ordinal) ? Steps * Inputs : 2;
        float[] numbers = Reals(first, rows * width);
        ReadOnlySpan<byte> data = type switch
        {
            "<f8" => MemoryMarshal.AsBytes<double>(Array.ConvertAll(numbers, number => number + 1e-9)),
            "<f2" => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(numbers, number => (Half)number)),
            _ => MemoryMarshal.AsBytes<float>(numbers),
        };
        File.WriteAllBytes(path, Bytes(type, shape, data));
    }

    private static void Put(string path, IEnumerable<int> integers)
    {
        int[] all = [.. integers];
        File.WriteAllBytes(path, Bytes("<i4", $"{all.Length},", MemoryMarshal.AsBytes<int>(all)));
    }

    private static byte[] Bytes(string type, string shape, ReadOnlySpan<byte> data) =>
        NpyFileTests.Build(1, $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({shape}), }}\n", data.ToArray());
}
