using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>Masks on recurrent matrices: plans that keep some weights, and the mask a training has to keep.</summary>
public static class WeightMasks
{
    /// <summary>A plan that keeps, in each W_hh, the weights with the largest scores: k^2 for each gate.</summary>
    internal static PruningPlan Largest(string method, Calibration calibration, IReadOnlyList<int> keep, Func<int, Matrix, double[]> scores)
    {
        KeepCounts.Check(calibration.Network.Architecture, keep);
        int gates = calibration.Network.Architecture.Cell.Gates();
        return new PruningPlan(method, [.. keep.Select((k, layer) =>
        {
            Matrix hidden = calibration.Weights.Layers[layer].Hidden, mask = new(hidden.Rows, hidden.Columns);
            double[] score = scores(layer, hidden);
            foreach (int i in Enumerable.Range(0, score.Length).OrderByDescending(i => score[i]).Take(gates * k * k)) mask.Data[i] = 1;
            return LayerPlan.Whole(hidden.Columns) with { Mask = mask };
        })]);
    }

    /// <summary>Ones and zeros for the whole parameter block [P] of the plan's network; the caller owns it. Null where nothing is masked.</summary>
    public static Tensor? ForTraining(PruningPlan plan, Network network)
    {
        if (!plan.IsUnstructured) return null;
        float[] block = new float[network.Parameters.Values.Count];
        Array.Fill(block, 1);
        for (int layer = 0; layer < plan.Layers.Count; layer++)
        {
            if (plan.Layers[layer].Mask is not { } mask) continue;
            ParameterSlot slot = network.Parameters.Slots.Single(s => s.Name == $"rnn.weight_hh_l{layer}");
            mask.ToSingle().CopyTo(block.AsSpan((int)slot.Offset));
        }

        Tensor tensor = network.Backend.Allocate(network.Parameters.Values.Shape);
        tensor.CopyFrom<float>(block);
        return tensor;
    }
}
