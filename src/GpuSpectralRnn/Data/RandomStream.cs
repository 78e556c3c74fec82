using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Data;

/// <summary>
/// What a stream of random numbers is for; no two purposes share numbers under one seed, nor do they share them with initial weights (streams below
/// 2^48).
/// </summary>
internal enum RandomPurpose : ulong
{
    Shuffle = 1,
    Permutation,
    Digits,
    Adding,
    Copy,
    Sampling,
    Mixture,
    Reading,
}

/// <summary>Reads a Philox stream word by word.</summary>
internal struct RandomStream
{
    private readonly ulong seed;
    private readonly ulong stream;
    private ulong index;
    private Philox.Block block;

    /// <summary>The stream of one sequence (or epoch) of one part: it depends on nothing but the arguments.</summary>
    public RandomStream(ulong seed, RandomPurpose purpose, int number, DataPart part = DataPart.Train)
    {
        this.seed = seed;
        stream = ((ulong)purpose << 48) | ((ulong)part << 32) | (uint)number;
    }

    /// <summary>A stream by its number.</summary>
    public RandomStream(ulong seed, ulong stream)
    {
        this.seed = seed;
        this.stream = stream;
    }

    /// <summary>The next 32 random bits.</summary>
    public uint Word()
    {
        uint lane = (uint)index & 3u;
        if (lane == 0u) block = Philox.Generate(seed, stream, index >> 2);
        index++;
        return lane switch { 0u => block.X, 1u => block.Y, 2u => block.Z, _ => block.W };
    }

    /// <summary>A uniform number of [0, 1).</summary>
    public float Uniform() => Philox.ToUniform(Word());

    /// <summary>A uniform number of [low, high).</summary>
    public float Uniform(float low, float high) => low + ((high - low) * Uniform());

    /// <summary>A whole number of [0, bound); the bias of the multiply-shift method, below bound / 2^32, is left in.</summary>
    public int Below(int bound) => (int)(((ulong)Word() * (uint)bound) >> 32);

    /// <summary>Fills with a random permutation of 0 .. n - 1 (Fisher and Yates, in Durstenfeld's form).</summary>
    public void Permute(Span<int> order)
    {
        for (int i = 0; i < order.Length; i++) order[i] = i;
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }
}
