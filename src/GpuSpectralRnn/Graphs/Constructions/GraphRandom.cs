using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Graphs;

/// <summary>A walk through a stream of Philox: draws for the construction of graphs, the same on every machine.</summary>
internal sealed class GraphRandom(ulong seed, ulong stream)
{
    private ulong next;

    /// <summary>Below <paramref name="count"/>, which is one or more.</summary>
    public int Below(int count) => (int)(((ulong)Philox.Word(seed, stream, next++) * (ulong)count) >> 32);

    /// <summary>Heads or tails.</summary>
    public bool Coin() => Below(2) == 0;
}
