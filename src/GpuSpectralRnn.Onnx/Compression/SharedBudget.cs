using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// Allocates units to layers: from the number of weights that a common fraction of the units would keep, each removed where it costs the least loss.
/// </summary>
internal static class SharedBudget
{
    /// <summary>k of each layer.</summary>
    /// <param name="layers">Their weights.</param>
    /// <param name="paths">Backward elimination of each layer and direction, down to one unit; losses are relative to the layer's whole loss.</param>
    /// <param name="equal">Units that a common fraction would keep.</param>
    public static int[] Allocate(IReadOnlyList<NodeWeights> layers, IReadOnlyList<Selection[]> paths, IReadOnlyList<int> equal)
    {
        long CountAll(IReadOnlyList<int> units) => layers.Select((layer, i) => Count(layer, units[i])).Sum();
        return UnitAllocation.Allocate([.. layers.Select(layer => layer.Hidden)], paths, CountAll, CountAll(equal));
    }

    // Multiply-adds of a step, which are the numbers of W and R.
    private static long Count(NodeWeights layer, int units) => (long)layer.Directions * layer.Gates * units * (layer.Inputs + units);
}
