using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Networks;

/// <summary>Lets a language model go on, one token at a time; the state is carried from each to the next. The same seed gives the same tokens on the
/// same device.</summary>
public sealed class TokenSampler : IDisposable
{
    private readonly Network network;
    private readonly Tensor token; // [1, 1]
    private readonly float[] logits; // [V]
    private readonly double[] weights; // [V]
    private readonly int[] order; // [V]
    private readonly double temperature;
    private readonly int choices;
    private readonly ulong seed;
    private readonly int? excluded;
    private bool continues;
    private int drawn;

    /// <summary>Begins with what the model makes of <paramref name="beginning"/>. Another forward call on the network in between would change its
    /// state.</summary>
    /// <param name="network">A language model.</param>
    /// <param name="beginning">Tokens to go on from, one or more.</param>
    /// <param name="temperature">What the logits are divided by; 0: always the likeliest token.</param>
    /// <param name="choices">Draw from this many likeliest tokens only; null: from all.</param>
    /// <param name="seed">Of the draws.</param>
    /// <param name="excluded">A token that is never drawn: the one for what is unknown; null: none.</param>
    /// <exception cref="InvalidCallException">The network is no language model of one direction, a token is none of its own, or a number is out of
    /// range.</exception>
    public TokenSampler(Network network, ReadOnlySpan<int> beginning, double temperature = 1, int? choices = null, ulong seed = 1, int? excluded = null)
    {
        if (network.Architecture is not { IsLanguageModel: true, IsBidirectional: false })
            throw new InvalidCallException($"Only language models of one direction can go on writing; this is {network.Architecture.Summary}.");
        if (!(temperature >= 0 && double.IsFinite(temperature)))
            throw new InvalidCallException($"Temperature {temperature}: choose a number above 0, or 0 for the likeliest.");
        if (choices < 1) throw new InvalidCallException($"The {choices} likeliest tokens: choose 1 or more.");
        if (beginning.IsEmpty) throw new InvalidCallException("A model goes on from something: give one token or more.");
        int count = network.Architecture.Vocabulary;
        foreach (int number in beginning)
        {
            if ((uint)number >= (uint)count) throw new InvalidCallException($"The token {number} is none of the model's {count}.");
        }

        this.network = network;
        this.temperature = temperature;
        this.choices = Math.Min(choices ?? count, excluded is null ? count : Math.Max(1, count - 1));
        this.seed = seed;
        this.excluded = excluded;
        logits = new float[count];
        weights = new double[count];
        order = new int[count];
        token = network.Backend.Allocate(new Shape(1, 1), ElementType.Int32);
        using Tensor first = network.Backend.Allocate(new Shape(beginning.Length, 1), ElementType.Int32);
        first.CopyFrom(beginning);
        Read(first);
    }

    /// <summary>Draws the next token and reads it.</summary>
    public int Next()
    {
        int next = Draw();
        token.CopyFrom<int>([next]);
        Read(token);
        return next;
    }

    /// <inheritdoc/>
    public void Dispose() => token.Dispose();

    // tokens [T, 1] -> logits of what follows the last of them
    private void Read(Tensor tokens)
    {
        Tensor outputs = network.Forward(new SequenceBatch(tokens, continues: continues)); // [T, 1, V]
        outputs.Slice(tokens.Shape[0] - 1).CopyTo<float>(logits);
        if (excluded is { } never) logits[never] = float.NegativeInfinity;
        continues = true;
    }

    private int Draw()
    {
        for (int i = 0; i < order.Length; i++) order[i] = i;
        if (excluded is { } never) (order[never], order[^1]) = (order[^1], order[never]);

        // Likeliest first; of equal ones the lower number, so that the order is one.
        if (temperature == 0 || choices < order.Length - (excluded is null ? 0 : 1))
            Array.Sort(order, (a, b) => logits[a] != logits[b] ? logits[b].CompareTo(logits[a]) : a.CompareTo(b));
        if (temperature == 0) return order[0];
        double largest = logits.Max();
        double sum = 0;
        for (int i = 0; i < choices; i++) sum += weights[i] = Math.Exp((logits[order[i]] - largest) / temperature);
        double left = new RandomStream(seed, RandomPurpose.Sampling, drawn++).Uniform() * sum;
        for (int i = 0; i < choices - 1; i++)
        {
            left -= weights[i];
            if (left < 0) return order[i];
        }

        return order[choices - 1];
    }
}
