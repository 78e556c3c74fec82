using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>Recurrent layers with one launch a step, its product cut into slices, as graphics processors get it.</summary>
public sealed class SlicedStepTests(SlicedStepDevice device) : RecurrentLayerChecks(device), IClassFixture<SlicedStepDevice>
{
    // Fewer terms than slices, and more; tiles and groups that are not full.
    [Theory]
    [MemberData(nameof(RecurrentLayerTests.Kinds), MemberType = typeof(RecurrentLayerTests))]
    public void Agrees_with_the_definition(CellKind cell, bool isReverse, bool hasLengths)
    {
        foreach ((int t, int b, int i, int h) in new[] { (2, 1, 1, 1), (3, 5, 2, 19) })
        {
            RecurrentShape shape = new(cell, t, b, i, h) { IsReverse = isReverse };
            ReferenceLayer problem = new(shape, seed: 73, hasInitial: isReverse != hasLengths, hasLengths);
            Check(problem, shape, t - 2, problem.Backward(t - 2));
        }
    }
}
