using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Reconstruction losses of a plan, from the second moments of the calibration states: ||h - A h_J - c||^2 under the criteria of L_A and L_B
/// (docs/method.md, section 2.2).
/// </summary>
/// <param name="Input">L_A, the mean squared error of h.</param>
/// <param name="Output">L_B, the mean squared error of the consumers' products W h (read-out or next layer, and all rows of W_hh).</param>
public sealed record FoldLoss(double Input, double Output)
{
    /// <summary>The losses of one axis; A is the selector where the plan reconstructs nothing.</summary>
    /// <param name="calibration">The statistics.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="axis">Index of the axis in <see cref="Networks.Graph.PrunableAxes"/>.</param>
    public static FoldLoss Compute(Calibration calibration, PruningPlan plan, int axis)
    {
        UnitPlan own = plan.Axes[axis];
        Matrix gram = calibration.Gram(axis), keep = Matrix.Identity(own.Units).SelectRows(own.Kept);
        Matrix lost = Matrix.Identity(own.Units) - own.FoldOrSelector() * keep; // h - A h_J = (I - A E_J) h
        Matrix residual = Matrix.Product(lost * gram, lost, transposeB: true);
        if (own.Offset is { } offset)
        {
            double[] mean = (lost * Matrix.From(own.Units, 1, calibration.Mean(axis))).Data;
            for (int i = 0; i < own.Units; i++)
                for (int j = 0; j < own.Units; j++) residual[i, j] += offset[i] * offset[j] - mean[i] * offset[j] - offset[i] * mean[j];
        }

        return new FoldLoss(residual.Trace(), Matrix.Inner(Criterion.Output(calibration.Weights.Consumers(axis)), residual));
    }
}
