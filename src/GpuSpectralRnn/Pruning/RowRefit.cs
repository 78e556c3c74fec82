using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Rows fitted again, each by its own weights (section 9 of the method). What the fold loses of a kept row's product, r = w^T (h - A h_J), is
/// regressed on z = [h_J, x, 1] over the
/// big network's own states; a step weighs delta^2 / mean + 1/2, where delta is the adjoint at that row, so that errors count where they reach the
/// outputs. The ridge pulls
/// towards no correction. A good step mostly, not always: judge the result.
/// </summary>
public static class RowRefit
{
    /// <summary>Ridge over the weighted mean square of the kept states.</summary>
    private const double RelativeRidge = 1e-2;

    /// <summary>What every step weighs beside its adjoint; smaller floors can do harm.</summary>
    private const double Floor = 0.5;

    /// <summary>The random stream of the first probe; each backward pass takes the next.</summary>
    internal const ulong ProbeStream = 3UL << 56;

    /// <summary>The plan with corrections for every layer's rows.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static PruningPlan Apply(Calibration calibration, PruningPlan plan) =>
        plan with { Recurrences = [.. plan.Recurrences.Select((layer, index) => layer with { Correction = Fit(calibration, plan, index) })] };

    private static RowCorrection Fit(Calibration calibration, PruningPlan plan, int layer)
    {
        Network network = calibration.Network;
        IBackend backend = network.Backend;
        LayerPlan own = plan.Recurrences[layer];
        LayerPlan? below = layer == 0 ? null : plan.Recurrences[layer - 1];
        LayerWeights weights = calibration.Weights.Recurrences[layer];
        (int hidden, int inputs, int kept) = (own.Units, weights.Input.Columns, own.Kept.Length);
        int keptInputs = below?.Kept.Length ?? inputs, width = kept + keptInputs + 1;
        int[] rows = GateRows.Of(own.Kept, hidden, network.Architecture.Cell.Gates());

        // z = [h_J, x, 1] and r = W (h - A h_J - c) + V (x - A x_J - c), x standing for the states of the layer below where there is one.
        Matrix select = Matrix.Identity(hidden).SelectRows(own.Kept);
        Matrix selectInputs = below is null ? Matrix.Identity(inputs) : Matrix.Identity(inputs).SelectRows(below.Kept);
        Matrix lost = weights.Hidden.SelectRows(rows) * (Matrix.Identity(hidden) - own.FoldOrSelector() * select);
        Matrix lostInputs = below is null
            ? new Matrix(rows.Length, inputs)
            : weights.Input.SelectRows(rows) * (Matrix.Identity(inputs) - below.FoldOrSelector() * selectInputs);
        double[] constant = new double[width];
        constant[^1] = 1;
        double[] shift = new double[rows.Length];
        Subtract(shift, weights.Hidden.SelectRows(rows), own.Offset);
        Subtract(shift, weights.Input.SelectRows(rows), below?.Offset);
        using JointRows regressors = new(backend, constant, JointRows.Place(width, 0, select), JointRows.Place(width, kept, selectInputs));
        using JointRows residuals = new(backend, shift, lost, lostInputs);
        using BatchFeed feed = new(calibration.GradientInputs, backend, calibration.Settings.BatchSize);
        using RowMoments moments = new(backend, width, rows);
        using Tensor before = backend.Allocate(new Shape(calibration.Inputs.Layout.Steps * feed.BatchSize * hidden));
        ProductGradients gradients = new(layer);
        ulong stream = ProbeStream;
        int steps = calibration.Inputs.Layout.Steps;
        while (feed.Next())
        {
            moments.BeginBatch(steps * feed.Size);
            for (int probe = 0; probe < calibration.Settings.Probes; probe++)
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                Tensor outputs = network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                backend.Random.Normal(outputs, calibration.Settings.Seed, stream++, 0, 1);
                network.Backward(outputs, gradients);
                backend.Fill(network.Parameters.Gradients, 0);
                moments.AddGradients(gradients.Values, 1.0 / calibration.Settings.Probes);
            }

            // h_{t-1} [T, B, H]: a step of zeros, then all but the last.
            int row = feed.Size * hidden;
            backend.Fill(before.View(0, row), 0);
            backend.Copy(network.HiddenStates(layer).View(0, (steps - 1) * row), before.View(row, (steps - 1) * row));
            Tensor previous = before.View(0, steps, feed.Size, hidden), input = network.LayerInput(layer);
            moments.EndBatch(regressors.Join(previous, input), residuals.Join(previous, input));
        }

        RowCorrection correction = new(new Matrix(rows.Length, kept), new Matrix(rows.Length, keptInputs), new double[rows.Length]);
        for (int i = 0; i < rows.Length; i++)
        {
            if (moments.Solve(i, kept, Floor, RelativeRidge) is not { } change) continue;
            change.AsSpan(0, kept).CopyTo(correction.Hidden.Row(i));
            change.AsSpan(kept, keptInputs).CopyTo(correction.Input.Row(i));
            correction.Bias[i] = change[^1];
        }

        return correction;
    }

    private static void Subtract(double[] shift, Matrix rows, double[]? offset)
    {
        if (offset is null) return;
        for (int i = 0; i < shift.Length; i++)
            for (int j = 0; j < offset.Length; j++) shift[i] -= rows[i, j] * offset[j];
    }

    private sealed class ProductGradients(int wanted) : IBackwardObserver
    {
        public float[] Values { get; private set; } = [];

        public void Enter(int layer, Tensor consumerGradient, int from)
        {
        }

        public void Leave(int layer, Tensor productGradient)
        {
            if (layer == wanted) Values = productGradient.ToArray();
        }
    }
}
