using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>What a plan's units lose, measured on the calibration states: ||h - A h_J - c||^2 seen through a criterion.</summary>
/// <param name="Input">L_A, the mean square of what is lost of h.</param>
/// <param name="Output">L_B, the mean square of what is lost of the consumers' products W h (read-out or next layer, and all rows of W_hh).</param>
public sealed record FoldLoss(double Input, double Output)
{
    /// <summary>Of one recurrence; with A the selector where the plan reconstructs nothing.</summary>
    public static FoldLoss Compute(Calibration calibration, PruningPlan plan, int recurrence)
    {
        UnitPlan own = plan.Axes[recurrence];
        Matrix gram = calibration.Gram(recurrence), keep = Matrix.Identity(own.Units).SelectRows(own.Kept);
        Matrix lost = Matrix.Identity(own.Units) - own.FoldOrSelector() * keep; // h - A h_J = (I - A E_J) h
        Matrix residual = Matrix.Product(lost * gram, lost, transposeB: true);
        if (own.Offset is { } offset)
        {
            double[] mean = (lost * Matrix.From(own.Units, 1, calibration.Mean(recurrence))).Data;
            for (int i = 0; i < own.Units; i++)
                for (int j = 0; j < own.Units; j++) residual[i, j] += offset[i] * offset[j] - mean[i] * offset[j] - offset[i] * mean[j];
        }

        return new FoldLoss(residual.Trace(), Matrix.Inner(Criterion.Output(calibration.Weights.Consumers(recurrence)), residual));
    }
}
