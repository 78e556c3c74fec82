using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Comparison: ISS-GM (Gkalelis, Mezaris, IEEE ISM 2020). Drops the units nearest to the geometric median of a layer, for which others can stand
/// best: those with the smallest sum of distances to all others. A unit is the vector of the weights that make it: its rows of W_ih and W_hh, of all
/// gates (docs/method.md, section 8).
/// </summary>
/// <param name="isReconstructed">Whether the dropped units are reconstructed from the kept ones; not in the paper.</param>
/// <param name="ridge">Ridge tau relative to Tr S / m; null: the cell's default.</param>
public sealed class GeometricMedian(bool isReconstructed = true, double? ridge = null) : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "iss-gm";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        return AxisPlans.Plan(Name, calibration, keep, (axis, i, k, tied) =>
        {
            int[] kept = tied ?? Farthest(SumsOfDistances(calibration.Weights, axis), k);
            return isReconstructed && axis.IsFoldable
                ? UnitFold.Reconstructed(calibration.Gram(i), ridge ?? calibration.DefaultRidge(axis), kept)
                : UnitFold.None(axis.Units, kept);
        });
    }

    /// <summary>For every unit of an axis the sum over all others of the Euclidean distance between their weights [m].</summary>
    internal static double[] SumsOfDistances(NetworkWeights weights, PrunableAxis axis)
    {
        int units = axis.Units;
        double[,] squares = new double[units, units];
        foreach (Matrix block in Makers(weights, axis))
        {
            for (int i = 0; i < units; i++)
            {
                for (int j = i + 1; j < units; j++)
                {
                    ReadOnlySpan<double> a = block.Row(i), b = block.Row(j);
                    double sum = 0;
                    for (int at = 0; at < a.Length; at++) sum += (a[at] - b[at]) * (a[at] - b[at]);
                    squares[i, j] += sum;
                }
            }
        }

        double[] sums = new double[units];
        for (int i = 0; i < units; i++)
        {
            for (int j = i + 1; j < units; j++)
            {
                double distance = Math.Sqrt(squares[i, j]);
                sums[i] += distance;
                sums[j] += distance;
            }
        }

        return sums;
    }

    private static int[] Farthest(double[] sums, int k) => [.. Enumerable.Range(0, sums.Length).OrderByDescending(j => sums[j]).Take(k).Order()];

    // The matrices whose rows make the units, one for each gate: [m, inputs]. Where modules share them they count once; biases do not.
    private static IEnumerable<Matrix> Makers(NetworkWeights weights, PrunableAxis axis)
    {
        HashSet<UnitUse> seen = [];
        foreach (Node node in weights.Graph.Nodes)
        {
            foreach (UnitUse use in node.Uses.Where(use => use.Axis.Name == axis.Name))
            {
                if (use is ProducesByColumns table && seen.Add(use)) yield return weights[table.Parameter].Transpose();
                if (use is not Produces made || node.Vectors.Contains(made.Parameter) || !seen.Add(use)) continue;
                int stride = made.Stride == 0 ? axis.Units : made.Stride;
                for (int block = 0; block < made.Blocks; block++)
                    yield return weights[made.Parameter].SelectRows([.. Enumerable.Range((block * stride) + made.FirstRow, axis.Units)]);
            }
        }
    }
}
