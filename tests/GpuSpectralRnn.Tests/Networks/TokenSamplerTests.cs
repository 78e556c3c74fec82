using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Tests.Networks;

public sealed class TokenSamplerTests : IDisposable
{
    private static readonly Architecture Model = new()
    {
        Cell = Cell.Gru, Inputs = 3, Vocabulary = 7, Hidden = [5, 4], Outputs = 7, Readout = Readout.Every,
    };

    private readonly IBackend backend = new HostBackend();

    public void Dispose() => backend.Dispose();

    [Fact]
    public void Token_by_token_it_answers_as_over_the_whole_text()
    {
        using Network network = Make();
        List<int> text = [3, 1, 4];
        using (TokenSampler sampler = new(network, text.ToArray(), temperature: 0))
            for (int i = 0; i < 20; i++) text.Add(sampler.Next());
        float[] logits = Logits(network, text); // [T, V]

        for (int i = 3; i < text.Count; i++)
        {
            ReadOnlySpan<float> chances = logits.AsSpan((i - 1) * 7, 7);
            int likeliest = 0;
            for (int v = 1; v < 7; v++) if (chances[v] > chances[likeliest]) likeliest = v;
            Assert.Equal(likeliest, text[i]);
        }
    }

    // 3,000 seeds, one draw each: a share p has the standard deviation sqrt(p (1 - p) / 3000); 4.5 of them are passed once in 100,000 times.
    [Theory]
    [InlineData(1.0, null)]
    [InlineData(0.3, null)]
    [InlineData(3.0, null)]
    [InlineData(1.0, 3)]
    public void Draws_follow_the_softmax(double temperature, int? choices)
    {
        const int draws = 3000;
        using Network network = Make();
        float[] logits = Logits(network, [2])[..7];
        double smallest = logits.OrderDescending().ElementAt((choices ?? 7) - 1);
        double[] weights = Array.ConvertAll(logits, x => x < smallest ? 0 : Math.Exp(x / temperature));
        int[] counts = new int[7];
        for (ulong seed = 0; seed < draws; seed++)
        {
            using TokenSampler sampler = new(network, [2], temperature, choices, seed);
            counts[sampler.Next()]++;
        }

        for (int v = 0; v < 7; v++)
        {
            double p = weights[v] / weights.Sum();
            Assert.InRange(counts[v] / (double)draws, p - (4.5 * Math.Sqrt(p * (1 - p) / draws)), p + (4.5 * Math.Sqrt(p * (1 - p) / draws)));
        }
    }

    [Fact]
    public void The_same_seed_draws_the_same()
    {
        using Network network = Make();

        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));

        int[] Draw(ulong seed)
        {
            using TokenSampler sampler = new(network, [0], seed: seed);
            return [.. Enumerable.Range(0, 30).Select(_ => sampler.Next())];
        }
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using Network network = Make();
        using Network images = new(Model with { Vocabulary = 0 }, backend);

        Assert.Contains("language models", Assert.Throws<InvalidCallException>(() => new TokenSampler(images, [0])).Message);
        Assert.Contains("token 7", Assert.Throws<InvalidCallException>(() => new TokenSampler(network, [7])).Message);
        Assert.Contains("one token or more", Assert.Throws<InvalidCallException>(() => new TokenSampler(network, [])).Message);
        Assert.Contains("NaN", Assert.Throws<InvalidCallException>(() => new TokenSampler(network, [0], double.NaN)).Message);
        Assert.Contains("0 likeliest", Assert.Throws<InvalidCallException>(() => new TokenSampler(network, [0], 1, 0)).Message);
    }

    // All weights in +-1, so that the chances are far from equal.
    private Network Make() => Network.Create(Model, backend, seed: 4, range: 1);

    private float[] Logits(Network network, IReadOnlyList<int> text)
    {
        using Tensor tokens = backend.Allocate(new Shape(text.Count, 1), ElementType.Int32);
        tokens.CopyFrom<int>([.. text]);
        return network.Forward(tokens).ToArray();
    }
}
