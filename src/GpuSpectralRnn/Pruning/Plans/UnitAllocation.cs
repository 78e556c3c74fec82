using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>Shares units out over layers: one after the other is taken away where it costs the least loss for each number that it saves.</summary>
public static class UnitAllocation
{
    /// <summary>The units that stay in each layer, 1 or more, once no more than so many numbers are left.</summary>
    /// <param name="units">Of each layer before.</param>
    /// <param name="paths">Backward elimination of each layer, one for each direction, down to one unit.</param>
    /// <param name="count">The numbers of layers of so many units: parameters, or multiply-adds.</param>
    /// <param name="wanted">How many may be left.</param>
    public static int[] Allocate(
        IReadOnlyList<int> units, IReadOnlyList<IReadOnlyList<Selection>> paths, Func<IReadOnlyList<int>, long> count, long wanted)
    {
        int[] keep = [.. units];
        for (long now = count(keep); now > wanted; now = count(keep))
        {
            int best = -1;
            double least = double.PositiveInfinity;
            for (int layer = 0; layer < keep.Length; layer++)
            {
                if (keep[layer] == 1) continue;
                int removed = units[layer] - keep[layer];
                double cost = paths[layer].Sum(selection => selection.Path[removed + 1].Loss - selection.Path[removed].Loss);
                keep[layer]--;
                double price = cost / (now - count(keep));
                keep[layer]++;
                if (best < 0 || price < least) (best, least) = (layer, price);
            }

            if (best < 0) break;
            keep[best]--;
        }

        return keep;
    }
}
