using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What the tiles of a panel ask for while they work, so that it is in the first-level cache when its turn comes.</summary>
internal interface IPrefetch
{
    /// <summary>In every term of a tile.</summary>
    void Next();

    /// <summary>After a tile of <paramref name="terms"/> terms, which had a copy of its own.</summary>
    void Skip(nint terms);
}

/// <summary>Nothing: the panel is near, and asking costs more than it brings.</summary>
internal readonly struct NoPrefetch : IPrefetch
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next()
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(nint terms)
    {
    }
}

/// <summary>
/// The numbers behind the part of the panel at which the tiles are, evenly over all of them: asked for at once they stop the tile that asks, and left to
/// the processor only the first tile waits for them.
/// </summary>
internal unsafe struct PrefetchNextPart : IPrefetch
{
    private readonly nint step; // bytes, of a term
    private byte* at;

    /// <summary>For a part of <paramref name="k"/> terms, with tiles that have <paramref name="rows"/> rows together.</summary>
    public PrefetchNextPart(float* part, nint k, nint rows)
    {
        at = (byte*)(part + k * GemmKernel.PanelWidth);
        step = Math.Max(1, GemmKernel.PanelWidth * sizeof(float) / ((rows + GemmKernel.HighestTile - 1) / GemmKernel.HighestTile));
    }

    /// <summary>Whether the processor can be asked.</summary>
    public static bool IsSupported => Sse.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next()
    {
        Sse.Prefetch0(at);
        at += step;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(nint terms) => at += terms * step;
}
