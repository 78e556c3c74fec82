using GpuSpectralRnn.Data;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Data;

public sealed class ContentHashTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(400)] // stretches begin at every 200th
    [InlineData(999)]
    public void A_sample_sees_the_beginning_the_end_and_stretches_between(int changed)
    {
        const long most = 1000; // inputs
        ISequenceData data = new Altered(new NormalData(1000, 3, 2), -1), other = new Altered(new NormalData(1000, 3, 2), changed);

        Assert.StartsWith("sampled-", ContentHash.Compute(data, most), StringComparison.Ordinal);
        Assert.Equal(ContentHash.Compute(data, most), ContentHash.Compute(new NormalData(1000, 3, 2), most));
        Assert.NotEqual(ContentHash.Compute(data, most), ContentHash.Compute(other, most));
        Assert.NotEqual(ContentHash.Compute(data, most), ContentHash.Compute(new Subset(data, 0, 999), most));
    }

    [Fact]
    public void A_hash_of_all_is_known_again()
    {
        ISequenceData data = new NormalData(40, 3, 2);

        Assert.DoesNotContain('-', ContentHash.Compute(data));
        Assert.True(ContentHash.Matches(data, ContentHash.Compute(data)));
        Assert.False(ContentHash.Matches(data, ContentHash.Compute(new Altered(data, 7))));
        Assert.False(ContentHash.Matches(data, ContentHash.Compute(data, mostInputs: 100)));
    }

    /// <summary>Data of which one sequence begins with another number.</summary>
    private sealed class Altered(ISequenceData source, int sequence) : ISequenceData
    {
        public string Name => source.Name;

        public int Count => source.Count;

        public SequenceLayout Layout => source.Layout;

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            source.Read(indices, batch);
            int b = indices.IndexOf(sequence);
            if (b >= 0) batch.Inputs[b * Layout.Features] += 1;
        }
    }
}
