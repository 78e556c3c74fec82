using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Embedding of tokens and the gradient of its table.</summary>
public abstract class EmbeddingTests(DeviceFixture device) : OperationTests(device)
{
    [SkippableTheory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 3, 2)]
    [InlineData(2, 100, 17)]
    [InlineData(31, 443, 5)]
    [InlineData(1000, 129, 65)]
    public void Rows_are_chosen_and_their_gradients_added(int vocabulary, int count, int extent)
    {
        int[] tokens = Numbers.Integers(count, 1, 0, vocabulary);
        float[] table = Numbers.Normal((long)vocabulary * extent, 2), slope = Numbers.Normal((long)count * extent, 3);
        float[] before = Numbers.Normal((long)vocabulary * extent, 4);
        float[] rows = [.. tokens.SelectMany(token => table[(token * extent)..((token + 1) * extent)])];
        double[] sums = before.ToDoubles();
        for (int i = 0; i < slope.Length; i++) sums[tokens[i / extent] * extent + i % extent] += slope[i];

        Tensor token = MakeIntegers(tokens), output = Garbage(count, extent), gradient = Make(before, vocabulary, extent);
        Backend.Embedding.Forward(new(token, Make(table, vocabulary, extent), output));
        Backend.Embedding.Backward(new(token, gradient, Make(slope, count, extent)));

        Assert.Equal(rows, output.ToArray());
        Close.Equal(sums, gradient, 1e-6, 1e-6 * count, "gradient"); // at most count additions of numbers of size one
        float[] added = gradient.ToArray();
        for (int row = 0; row < vocabulary; row++)
        {
            if (!tokens.Contains(row)) Assert.Equal(before[(row * extent)..((row + 1) * extent)], added[(row * extent)..((row + 1) * extent)]);
        }
    }

    [SkippableFact]
    public void Gradients_give_the_same_bits_again()
    {
        Tensor tokens = MakeIntegers(Numbers.Integers(2000, 1, 0, 13)), slope = Random(2, 2000, 37);
        float[] Bits()
        {
            Tensor gradient = Zeros(13, 37);
            Backend.Embedding.Backward(new(tokens, gradient, slope));
            return gradient.ToArray();
        }

        Assert.Equal(Bits(), Bits());
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IEmbeddingOps embedding = Backend.Embedding;
        Assert.Throws<ArgumentException>(() => embedding.Forward(new(Zeros(2), Zeros(3, 4), Zeros(2, 4)))); // not integers
        Assert.Throws<ArgumentException>(() => embedding.Forward(new(MakeIntegers(1, 2), Zeros(3, 4), Zeros(3, 4))));
        Assert.Throws<ArgumentException>(() => embedding.Forward(new(MakeIntegers(1, 2), Zeros(3, 4), Zeros(2, 3))));
        Assert.Throws<ArgumentException>(() => embedding.Backward(new(MakeIntegers(1, 2), Zeros(3, 5), Zeros(2, 4))));
        Assert.Throws<InvalidOperationException>(() => embedding.Forward(new(MakeIntegers(1, 2), Foreign(3, 4), Zeros(2, 4))));
        Assert.Throws<ObjectDisposedException>(() => embedding.Backward(new(MakeIntegers(1, 2), Zeros(3, 4), Disposed(2, 4))));
    }
}
