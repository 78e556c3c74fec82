using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Baseline: W_hh replaced by its truncated singular value decomposition of rank k, as two dense factors U sqrt(D) and sqrt(D) V^T, both trainable.
/// It has 2 m k weights, more than the whole matrix where k is above m/2.
/// </summary>
public sealed class LowRank : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "low-rank";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        if (calibration.Network.Graph.HasReverse)
            throw new InvalidCallException(
                "low-rank is for networks of one direction, this one has two; choose a method that drops units or weights.");
        return AxisPlans.PlanRecurrences(Name, calibration, keep, (axis, _, k) =>
        {
            Matrix hidden = calibration.Weights.HiddenWeight(axis);
            return UnitPlan.Whole(hidden.Columns) with { Factors = Factor(hidden, k) };
        });
    }

    // From the eigenvectors V of W^T W: W V_k V_k^T is the best approximation of rank k. Both factors get the square root of the singular values,
    // so that training moves them alike.
    private static Factors Factor(Matrix weights, int rank)
    {
        SymmetricEigen eigen = SymmetricEigen.Compute(Matrix.Product(weights, weights, transposeA: true));
        Matrix v = eigen.Vectors.SelectColumns([.. Enumerable.Range(0, rank)]), left = weights * v, right = v.Transpose(); // [G*m, k], [k, m]
        for (int r = 0; r < rank; r++)
        {
            double root = Math.Sqrt(Math.Sqrt(Math.Max(0, eigen.Values[r])));
            if (root == 0) continue;
            for (int i = 0; i < left.Rows; i++) left[i, r] /= root;
            for (int j = 0; j < right.Columns; j++) right[r, j] *= root;
        }

        return new Factors(left, right);
    }
}
