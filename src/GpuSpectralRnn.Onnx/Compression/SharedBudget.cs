using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>Shares units out over the layers: the weights that one share for all would leave, taken away where each costs the least loss.</summary>
internal static class SharedBudget
{
    /// <summary>k of each layer.</summary>
    /// <param name="layers">Their weights.</param>
    /// <param name="paths">Backward elimination of each layer and direction, down to one unit; losses are shares of the layer's whole.</param>
    /// <param name="equal">Units that one share for all would keep.</param>
    public static int[] Allocate(IReadOnlyList<NodeWeights> layers, IReadOnlyList<Selection[]> paths, IReadOnlyList<int> equal)
    {
        int[] keep = [.. layers.Select(layer => layer.Hidden)];
        long wanted = layers.Select((layer, i) => Count(layer, equal[i])).Sum(), now = layers.Select((layer, i) => Count(layer, keep[i])).Sum();
        while (now > wanted)
        {
            int cheapest = -1;
            double least = double.PositiveInfinity;
            for (int i = 0; i < keep.Length; i++)
            {
                if (keep[i] == 1) continue;
                int gone = layers[i].Hidden - keep[i];
                double loss = paths[i].Sum(path => path.Path[gone + 1].Loss - path.Path[gone].Loss);
                double price = loss / (Count(layers[i], keep[i]) - Count(layers[i], keep[i] - 1));
                if (cheapest >= 0 && !(price < least)) continue;
                (cheapest, least) = (i, price);
            }

            if (cheapest < 0) break;
            now -= Count(layers[cheapest], keep[cheapest]) - Count(layers[cheapest], keep[cheapest] - 1);
            keep[cheapest]--;
        }

        return keep;
    }

    // Multiply-adds of a step, which are the numbers of W and R.
    private static long Count(NodeWeights layer, int units) => (long)layer.Directions * layer.Gates * units * (layer.Inputs + units);
}
