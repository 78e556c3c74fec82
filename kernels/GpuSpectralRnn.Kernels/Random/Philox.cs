namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Element i of a
/// stream is word i mod 4 of the block whose counter is (i / 4, stream) under the key seed. Host and devices run the same code. Standard normal
/// number i (Box and Muller 1958) takes two words of block i / 2, X and Y where i is even, Z and W where it is odd: sqrt(-2 ln(1 - u)) cos(2 pi v), u
/// and v their uniform numbers.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53u;
    private const uint Multiplier1 = 0xCD9E8D57u;
    private const uint Weyl0 = 0x9E3779B9u;
    private const uint Weyl1 = 0xBB67AE85u;

    /// <summary>Four random words.</summary>
    public struct Block
    {
        /// <summary>Word 0.</summary>
        public uint X;

        /// <summary>Word 1.</summary>
        public uint Y;

        /// <summary>Word 2.</summary>
        public uint Z;

        /// <summary>Word 3.</summary>
        public uint W;
    }

    /// <summary>
    /// Ten rounds over the counter (low and high half of <paramref name="block"/>, then of <paramref name="stream"/>) under the key
    /// <paramref name="seed"/>.
    /// </summary>
    public static Block Generate(ulong seed, ulong stream, ulong block)
    {
        Block c = default;
        c.X = (uint)block;
        c.Y = (uint)(block >> 32);
        c.Z = (uint)stream;
        c.W = (uint)(stream >> 32);
        uint key0 = (uint)seed;
        uint key1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c.X;
            ulong product1 = (ulong)Multiplier1 * c.Z;
            uint x = (uint)(product1 >> 32) ^ c.Y ^ key0;
            uint z = (uint)(product0 >> 32) ^ c.W ^ key1;
            c.Y = (uint)product1;
            c.W = (uint)product0;
            c.X = x;
            c.Z = z;
            key0 += Weyl0;
            key1 += Weyl1;
        }

        return c;
    }

    /// <summary>A uniform number of [0, 1) from the word's upper 24 bits: exact in fp32, equal on every device.</summary>
    public static float ToUniform(uint word) => (int)(word >> 8) * (1f / 16777216f); // by way of int: C# turns uint into float through double

    /// <summary>Word <paramref name="index"/> of a stream.</summary>
    public static uint Word(ulong seed, ulong stream, ulong index)
    {
        Block block = Generate(seed, stream, index >> 2);
        uint lane = (uint)index & 3u;
        uint low = lane == 0u ? block.X : block.Y;
        uint high = lane == 2u ? block.Z : block.W;
        return lane < 2u ? low : high;
    }

    /// <summary>Uniform number <paramref name="index"/> of a stream, in [0, 1).</summary>
    public static float Uniform(ulong seed, ulong stream, ulong index) => ToUniform(Word(seed, stream, index));
}
