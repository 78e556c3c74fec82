using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data;

public sealed class SubsetTests
{
    [Fact]
    public void A_range_shifts_the_indices()
    {
        Subset middle = new(new NumberedData(10), 3, 4);

        Assert.Equal([3, 4, 5, 6], BatchReaderTests.Pass(new BatchReader(middle, 3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => middle.Read([4], new Batch(middle.Layout, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => middle.Read([-1], new Batch(middle.Layout, 1)));
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(10, 9)]
    [InlineData(2, 1)]
    public void Holding_out_splits_without_overlap(int count, int held)
    {
        (ISequenceData kept, ISequenceData heldOut) = Subset.HoldOut(new NumberedData(count), held);

        Assert.Equal(held, heldOut.Count);
        Assert.Equal(Enumerable.Range(0, count), BatchReaderTests.Pass(new BatchReader(kept, 2)).Concat(BatchReaderTests.Pass(new BatchReader(heldOut, 2))));
    }

    [Fact]
    public void A_limit_takes_the_first()
    {
        NumberedData data = new(5);

        Assert.Equal([0, 1], BatchReaderTests.Pass(new BatchReader(Subset.Limit(data, 2), 9)));
        Assert.Same(data, Subset.Limit(data, 5));
        Assert.Same(data, Subset.Limit(data, 6));
    }

    [Fact]
    public void Empty_and_outlying_ranges_are_refused()
    {
        NumberedData data = new(5);

        Assert.Throws<InvalidCallException>(() => Subset.Limit(data, 0));
        Assert.Throws<InvalidCallException>(() => Subset.HoldOut(data, 0));
        Assert.Throws<InvalidCallException>(() => Subset.HoldOut(data, 5));
        Assert.Throws<InvalidCallException>(() => new Subset(data, 0, 0));
        Assert.Throws<InvalidCallException>(() => new Subset(data, 3, 3));
        Assert.Throws<InvalidCallException>(() => new Subset(data, -1, 2));
        Assert.Throws<InvalidCallException>(() => new Subset(data, int.MaxValue, int.MaxValue));
    }
}
