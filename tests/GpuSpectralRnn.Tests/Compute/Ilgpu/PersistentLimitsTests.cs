using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>Which widths fit on chip, by a device's limits.</summary>
public class PersistentLimitsTests
{
    private const int Strips = 4;

    // Threads of a group, shared memory and registers as the makers' documents state them.
    private static readonly PersistentLimits Hopper = new(1024, 232448, 65536, 32);
    private static readonly PersistentLimits Ampere = new(1024, 166912, 65536, 32);
    private static readonly PersistentLimits Turing = new(1024, 65536, 65536, 32);
    private static readonly PersistentLimits Small = new(256, 32768, 0, 0); // an OpenCL device

    [Theory]
    [InlineData(CellKind.RnnRelu, 256)]
    [InlineData(CellKind.RnnTanh, 256)]
    [InlineData(CellKind.Lstm, 128)]
    [InlineData(CellKind.Gru, 128)]
    public void Widest_on_data_centre_devices(CellKind cell, int most)
    {
        Assert.Equal(most, Widest(Hopper, cell));
        Assert.Equal(most, Widest(Ampere, cell));
    }

    [Theory]
    [InlineData(CellKind.RnnRelu, 192)]
    [InlineData(CellKind.Lstm, 96)]
    [InlineData(CellKind.Gru, 96)]
    public void Widest_where_shared_memory_is_scarce(CellKind cell, int most) => Assert.Equal(most, Widest(Turing, cell));

    [Theory]
    [InlineData(CellKind.RnnRelu, 128)]
    [InlineData(CellKind.Lstm, 64)]
    [InlineData(CellKind.Gru, 64)]
    public void Widest_where_groups_are_small(CellKind cell, int most) => Assert.Equal(most, Widest(Small, cell));

    [Fact]
    public void A_refusal_says_what_is_short()
    {
        string Refusal(PersistentLimits limits, CellKind cell, int hidden) => limits.Refusal(limits.Tiles(cell, hidden, Strips))!;
        Assert.Contains("threads", Refusal(Hopper, CellKind.RnnRelu, 257), StringComparison.Ordinal);
        Assert.Contains("shared memory", Refusal(Turing, CellKind.Lstm, 128), StringComparison.Ordinal);
        Assert.Contains("registers", Refusal(Hopper with { Registers = 32768 }, CellKind.RnnRelu, 256), StringComparison.Ordinal);
    }

    // Every exchange stays within a warp: groups are whole warps, and no more lanes share rows than the narrowest warp has.
    [Fact]
    public void Groups_are_whole_warps()
    {
        foreach (CellKind cell in Enum.GetValues<CellKind>())
        {
            for (int hidden = 1; hidden <= 256; hidden++)
            {
                PersistentTiles tiles = Hopper.Tiles(cell, hidden, Strips);
                Assert.True(tiles.Forward.UsesShuffles && tiles.Forward.Threads % 64 == 0 && tiles.Backward.Threads % 64 == 0, $"{cell} {hidden}");
                Assert.InRange(tiles.Backward.Lanes, tiles.Forward.Lanes, 16);
            }
        }
    }

    private static int Widest(PersistentLimits limits, CellKind cell) =>
        Enumerable.Range(1, 600).Last(hidden => limits.Refusal(limits.Tiles(cell, hidden, Strips)) is null);
}
