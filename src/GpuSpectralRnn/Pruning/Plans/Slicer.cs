using GpuSpectralRnn.Models;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Carries a plan out: the smaller dense network (docs/method.md, section 6.1). Layer by layer W_hh# = (W_hh)_{J,:} A_J, W_ih# = (W_ih)_{J,:} A
/// below, biases_J; every consumer
/// of h (the layer's own recurrence, the layer above, the read-out) reads A_J h_J + c in its place. An embedding loses columns the same way.
/// </summary>
public static class Slicer
{
    /// <summary>The smaller network on the same backend; the caller owns it.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to this network.</exception>
    public static Network Slice(Network network, PruningPlan plan) => Slice(NetworkWeights.Read(network), plan).ToNetwork(network.Backend);

    /// <summary>The smaller network's weights.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to these weights.</exception>
    public static NetworkWeights Slice(NetworkWeights weights, PruningPlan plan)
    {
        plan.Check(weights.Architecture);
        Architecture architecture = weights.Architecture;
        int gates = architecture.Cell.Gates();
        LayerWeights[] recurrences =
        [
            .. weights.Recurrences.Select(
                (own, r) => Slice(own, plan.Recurrences[r], plan.Below(architecture, r / architecture.Directions), gates)),
        ];
        UnitPlan last = plan.Layer(architecture, architecture.Layers - 1);
        ReadoutWeights readout = plan.Readout
            ?? new ReadoutWeights(Fold(weights.Readout.Weight, last), Shift(weights.Readout.Bias, weights.Readout.Weight, last.Offset));
        return new NetworkWeights(plan.Shrink(architecture), recurrences, readout)
        {
            Embedding = plan.Embedding is null ? weights.Embedding : weights.Embedding!.SelectColumns(plan.Embedding.Kept),
        };
    }

    private static LayerWeights Slice(LayerWeights weights, UnitPlan plan, UnitPlan? below, int gates)
    {
        int[] rows = GateRows.Select(plan.Kept, plan.Units, gates);
        Matrix whole = plan.Mask is null ? weights.Hidden : Times(weights.Hidden, plan.Mask);
        Matrix? mask = plan.Mask is null || weights.Mask is null ? plan.Mask ?? weights.Mask : Times(plan.Mask, weights.Mask);
        if (plan.Fold is not null || plan.Correction is not null || plan.Factors is not null) mask = null; // every weight is a sum of many now
        Matrix hiddenRows = whole.SelectRows(rows), inputRows = weights.Input.SelectRows(rows);
        Matrix hidden = Fold(hiddenRows, plan), input = below is null ? inputRows : Fold(inputRows, below);
        double[] hiddenBias = Shift(Select(weights.HiddenBias, rows), hiddenRows, plan.Offset);
        double[] inputBias = Shift(Select(weights.InputBias, rows), inputRows, below?.Offset);
        if (plan.Correction is { } correction)
        {
            hidden += correction.Hidden;
            input += correction.Input;
            hiddenBias = [.. hiddenBias.Zip(correction.Bias, (a, b) => a + b)];
            inputBias = [.. inputBias.Zip(correction.InputBias, (a, b) => a + b)];
        }

        return new LayerWeights(input, hidden, inputBias, hiddenBias, plan.Factors, mask?.SelectRows(rows).SelectColumns(plan.Kept))
        {
            Peepholes = weights.Peepholes is null ? null : Select(weights.Peepholes, GateRows.Select(plan.Kept, plan.Units, 3)),
        };
    }

    private static Matrix Fold(Matrix consumer, UnitPlan plan) => plan.Fold is null ? consumer.SelectColumns(plan.Kept) : consumer * plan.Fold;

    private static double[] Shift(double[] bias, Matrix consumer, double[]? offset)
    {
        if (offset is null) return bias;
        double[] shifted = [.. bias];
        for (int i = 0; i < shifted.Length; i++)
            for (int j = 0; j < offset.Length; j++) shifted[i] += consumer[i, j] * offset[j];
        return shifted;
    }

    private static double[] Select(double[] values, int[] indices) => Array.ConvertAll(indices, i => values[i]);

    private static Matrix Times(Matrix a, Matrix mask)
    {
        Matrix result = a.Clone();
        for (int i = 0; i < result.Data.Length; i++) result.Data[i] *= mask.Data[i];
        return result;
    }
}
