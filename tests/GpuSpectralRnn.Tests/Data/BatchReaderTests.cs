using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data;

public sealed class BatchReaderTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(7, 3)]
    [InlineData(6, 3)]
    [InlineData(7, 7)]
    [InlineData(7, 100)]
    [InlineData(443, 64)]
    public void A_pass_reads_every_sequence_once(int count, int batchSize)
    {
        BatchReader reader = new(new NumberedData(count), batchSize);
        Assert.Equal(Enumerable.Range(0, count), Pass(reader));

        reader.RestartShuffled(5, 0);
        Assert.Equal(Enumerable.Range(0, count), Pass(reader).Order());

        reader.Restart();
        Assert.Equal(Enumerable.Range(0, count), Pass(reader));
    }

    [Fact]
    public void All_batches_but_the_last_are_full()
    {
        BatchReader reader = new(new NumberedData(10), 4);
        List<int> sizes = [];
        while (reader.Next()) sizes.Add(reader.Batch.Size);

        Assert.Equal([4, 4, 2], sizes);
        Assert.Equal(3, reader.BatchCount);
        Assert.Equal(5, new BatchReader(new NumberedData(5), 100).BatchSize);
    }

    [Fact]
    public void The_order_depends_on_seed_and_epoch_alone()
    {
        BatchReader reader = new(new NumberedData(50), 8);
        List<int> Shuffled(ulong seed, int epoch)
        {
            reader.RestartShuffled(seed, epoch);
            return Pass(reader);
        }

        List<int> first = Shuffled(1, 3);
        Assert.NotEqual(first, Shuffled(1, 4));
        Assert.NotEqual(first, Shuffled(2, 3));
        Assert.Equal(first, Shuffled(1, 3));
    }

    [Fact]
    public void Every_sequence_comes_first_about_equally_often()
    {
        // 6 sequences, 6000 epochs: 1000 each, standard deviation 28.9; 5 deviations either way, with a fixed seed.
        int[] first = new int[6];
        BatchReader reader = new(new NumberedData(6), 1);
        for (int epoch = 0; epoch < 6000; epoch++)
        {
            reader.RestartShuffled(42, epoch);
            Assert.True(reader.Next());
            first[reader.Batch.Labels[0]]++;
        }

        Assert.All(first, n => Assert.InRange(n, 855, 1145));
    }

    [Fact]
    public void Skipping_goes_on_where_reading_would_have_been()
    {
        BatchReader reader = new(new NumberedData(10), 4);
        reader.RestartShuffled(9, 2);
        List<int> whole = Pass(reader);
        reader.RestartShuffled(9, 2);
        reader.Skip(2);
        Assert.Equal(whole[8..], Pass(reader));
        reader.Restart();
        reader.Skip(int.MaxValue);
        Assert.False(reader.Next());
    }

    [Fact]
    public void A_pass_allocates_nothing()
    {
        BatchReader reader = new(new Subset(new NumberedData(100), 10, 80), 16);
        Pass(reader);
        long before = GC.GetAllocatedBytesForCurrentThread();
        reader.RestartShuffled(1, 1);
        while (reader.Next())
        {
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Wrong_calls_are_refused()
    {
        Assert.Throws<InvalidCallException>(() => new BatchReader(new NumberedData(0), 4));
        Assert.Throws<InvalidCallException>(() => new BatchReader(new NumberedData(3), 0));
    }

    internal static List<int> Pass(BatchReader reader)
    {
        List<int> seen = [];
        while (reader.Next()) seen.AddRange(reader.Batch.Labels);
        return seen;
    }
}
