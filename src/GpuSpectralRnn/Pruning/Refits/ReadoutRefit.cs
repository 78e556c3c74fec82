using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Refit of the read-out in closed loop (docs/method.md, section 7.2): least squares of the big network's outputs on the inputs of the small
/// network's own read-out, with a ridge towards the folded read-out.
/// </summary>
public static class ReadoutRefit
{
    /// <summary>Ridge relative to the mean square of the read-out's inputs.</summary>
    private const double RelativeRidge = 1e-4;

    /// <summary>The plan with a refitted read-out.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static PruningPlan Apply(Calibration calibration, PruningPlan plan)
    {
        Network big = calibration.Network;
        if (big.Graph.Outputs.Count > 1 || big.Graph.OutputNode.Module is not Linear) return plan; // nothing that least squares could fit
        IBackend backend = big.Backend;
        NetworkWeights folded = Slicer.Slice(calibration.Weights, plan);
        using Network small = folded.ToNetwork(backend);
        Value read = small.Graph.OutputNode.Inputs[0];
        int outputs = big.Graph.Outputs[0].Width, seen = read.Width;
        double[] constant = new double[seen + 1];
        constant[seen] = 1;
        using RegressionRows rows = new(backend, constant, RegressionRows.Place(seen + 1, 0, Matrix.Identity(seen)));
        using GramAccumulator gram = backend.Spectral.CreateGram(seen + 1);
        using Tensor products = backend.Allocate(new Shape(outputs, seen + 1));
        Matrix yz = new(outputs, seen + 1);
        float[] batch = new float[yz.Data.Length];

        // A network with an output at every step gives many rows per sequence, so that fewer sequences suffice.
        bool isEvery = big.Graph.AnswersEveryStep;
        using DeviceBatches feed = new(isEvery ? calibration.GradientInputs : calibration.Inputs, backend, calibration.BatchSize);
        while (feed.Next())
        {
            calibration.Cancellation.ThrowIfCancellationRequested();
            Tensor wanted = big.Forward(feed.Current);
            small.Forward(feed.Current);
            Tensor z = rows.Join(small.Values(read.Name)); // [N, seen + 1]
            if (isEvery && feed.Current[0].Lengths is { } lengths)
                backend.Matrix.ClearPadding(new(z.View(0, z.Shape.Rows / feed.Size, feed.Size, z.Shape.Columns), lengths));
            gram.Add(new(z));
            backend.Matrix.Gemm(new(true, false, 1, wanted.View(0, z.Shape.Rows, outputs), z, 0, products));
            products.CopyTo(batch.AsSpan());
            for (int i = 0; i < batch.Length; i++) yz.Data[i] += batch[i];
        }

        (Matrix zz, _) = StatisticsCollector.Read(gram);
        return Solve(zz, yz, folded.Readout) is { } readout ? plan with { Readout = readout } : plan;
    }

    // With z = [input of the read-out, 1], target y and the folded read-out C: D (M_zz + ridge) = M_yz - C M_zz, new read-out C + D. Null where z has
    // no variance at all.
    private static ReadoutWeights? Solve(Matrix zz, Matrix yz, ReadoutWeights folded)
    {
        (int outputs, int seen) = (yz.Rows, yz.Columns - 1);
        Matrix old = new(outputs, seen + 1);
        for (int o = 0; o < outputs; o++)
        {
            folded.Weight.Row(o).CopyTo(old.Row(o));
            old[o, seen] = folded.Bias[o];
        }

        Matrix right = (yz - old * zz).Transpose(); // [seen + 1, O]
        double mean = (zz.Trace() - zz[seen, seen]) / seen;
        for (int j = 0; j < seen; j++) zz[j, j] += RelativeRidge * mean;
        if (!zz.IsFinite() || !right.IsFinite() || Cholesky.TryFactor(zz) is not { } factor) return null;
        Matrix readout = old + factor.Solve(right).Transpose();
        return new ReadoutWeights(
            readout.SelectColumns([.. Enumerable.Range(0, seen)]), [.. Enumerable.Range(0, outputs).Select(o => readout[o, seen])]);
    }
}
