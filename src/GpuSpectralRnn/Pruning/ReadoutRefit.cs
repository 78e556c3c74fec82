using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// The read-out fitted again in closed loop (section 9 of the method): least squares of the big network's outputs on what the small network's own
/// read-out sees, with a ridge
/// towards the folded read-out.
/// </summary>
public static class ReadoutRefit
{
    /// <summary>Ridge over the mean square of what the read-out sees.</summary>
    private const double RelativeRidge = 1e-4;

    /// <summary>The plan with a new read-out.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static PruningPlan Apply(Calibration calibration, PruningPlan plan)
    {
        Network big = calibration.Network;
        IBackend backend = big.Backend;
        NetworkWeights folded = Slicer.Slice(calibration.Weights, plan);
        using Network small = folded.ToNetwork(backend);
        int outputs = big.Architecture.Outputs, seen = small.Architecture.Hidden[^1], width = seen + 1 + outputs;
        double[] constant = new double[width];
        constant[seen] = 1;
        using JointRows rows = new(
            backend, constant, JointRows.Place(width, 0, Matrix.Identity(seen)), JointRows.Place(width, seen + 1, Matrix.Identity(outputs)));
        using GramSums gram = backend.Spectral.CreateGram(width);

        // A network that answers at every step gives so many rows that fewer sequences do.
        ISequenceData data = big.Architecture.Readout == Readout.Every ? calibration.GradientInputs : calibration.Inputs;
        using BatchFeed feed = new(data, backend, calibration.Settings.BatchSize);
        while (feed.Next())
        {
            calibration.Cancellation.ThrowIfCancellationRequested();
            Tensor wanted = big.Forward(feed.Current);
            small.Forward(feed.Current);
            gram.Add(rows.Join(small.SeenByReadout, wanted));
        }

        (Matrix moments, _) = StatisticsCollector.Read(gram);
        return Solve(moments, seen, folded.Readout) is { } readout ? plan with { Readout = readout } : plan;
    }

    // With z = [seen, 1], wanted y and the folded read-out C: (M_zz + ridge) D = M_zy - M_zz C^T, new read-out C + D^T. Null where z has no spread
    // at all.
    private static ReadoutWeights? Solve(Matrix moments, int seen, ReadoutWeights folded)
    {
        int outputs = folded.Bias.Length;
        int[] z = [.. Enumerable.Range(0, seen + 1)], y = [.. Enumerable.Range(seen + 1, outputs)];
        Matrix zz = moments.SelectRows(z).SelectColumns(z), zy = moments.SelectRows(z).SelectColumns(y);
        Matrix old = new(outputs, seen + 1);
        for (int o = 0; o < outputs; o++)
        {
            folded.Weight.Row(o).CopyTo(old.Row(o));
            old[o, seen] = folded.Bias[o];
        }

        Matrix right = zy - Matrix.Product(zz, old, transposeB: true);
        double mean = (zz.Trace() - zz[seen, seen]) / seen;
        for (int j = 0; j < seen; j++) zz[j, j] += RelativeRidge * mean;
        if (!zz.IsFinite() || Cholesky.TryFactor(zz) is not { } factor) return null;
        Matrix change = factor.Solve(right); // [seen + 1, O]
        Matrix weight = new(outputs, seen);
        double[] bias = new double[outputs];
        for (int o = 0; o < outputs; o++)
        {
            for (int j = 0; j < seen; j++) weight[o, j] = old[o, j] + change[j, o];
            bias[o] = old[o, seen] + change[seen, o];
        }

        return new ReadoutWeights(weight, bias);
    }
}
