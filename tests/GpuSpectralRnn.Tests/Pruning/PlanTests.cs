using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>A plan is refused unless it lists units of its network once, ascending, with matrices of their extents.</summary>
public class PlanTests
{
    private static readonly Architecture Network = new() { Cell = Cell.Gru, Inputs = 3, Hidden = [4], Outputs = 2, Readout = Readout.Last };

    [Theory]
    [InlineData]
    [InlineData(-1, 2)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(0, 4)]
    public void Units_that_are_none_are_refused(params int[] kept) => Refuse(UnitPlan.Whole(4) with { Kept = kept });

    [Fact]
    public void Matrices_of_other_extents_are_refused()
    {
        UnitPlan two = UnitPlan.Whole(4) with { Kept = [1, 3] };
        Refuse(two with { Fold = new Matrix(4, 3) });
        Refuse(two with { Fold = new Matrix(3, 2) });
        Refuse(two with { Mask = new Matrix(12, 4) }); // a mask needs all units
        Refuse(UnitPlan.Whole(4) with { Mask = new Matrix(11, 4) });
        Refuse(UnitPlan.Whole(4) with { Mask = new Matrix(12, 3) });
        Refuse(UnitPlan.Whole(5));
    }

    [Fact]
    public void Plans_that_fit_are_taken_and_say_what_they_are()
    {
        PruningPlan small = new("small", [UnitPlan.Whole(4) with { Kept = [0, 3], Fold = new Matrix(4, 2) }]);
        PruningPlan masked = new("masked", [UnitPlan.Whole(4) with { Mask = new Matrix(12, 4) }]);
        small.Check(Network.Build());
        masked.Check(Network.Build());

        Assert.False(small.IsUnstructured);
        Assert.True(masked.IsUnstructured);
        Assert.Equal([2], small.Shrink(Network).Hidden);
        Assert.Throws<ArgumentException>(() => small.Check((Network with { Hidden = [4, 4] }).Build()));
    }

    private static void Refuse(UnitPlan plan) => Assert.Throws<ArgumentException>(() => new PruningPlan("wrong", [plan]).Check(Network.Build()));
}
