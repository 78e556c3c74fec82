using GpuSpectralRnn.Models;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// A plan carried out without making anything smaller: dropped units get zero rows and stay zero through all steps, the consumers read A_J h_J by a
/// square fold whose columns
/// of dropped units are zero. It must give the outputs of the sliced network: the proof that slicing lost nothing.
/// </summary>
public static class MaskedNetwork
{
    /// <summary>The network of full size; the caller owns it.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to this network.</exception>
    public static Network Create(Network network, PruningPlan plan) => Create(NetworkWeights.Read(network), plan).ToNetwork(network.Backend);

    /// <summary>Its weights.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to these weights.</exception>
    public static NetworkWeights Create(NetworkWeights weights, PruningPlan plan)
    {
        plan.Check(weights.Architecture);
        Architecture architecture = weights.Architecture;
        int gates = architecture.Cell.Gates();
        LayerWeights[] recurrences =
        [
            .. weights.Recurrences.Select(
                (own, r) => Mask(own, plan.Recurrences[r], plan.Below(architecture, r / architecture.Directions), gates)),
        ];
        UnitPlan last = plan.Layer(architecture, architecture.Layers - 1);
        ReadoutWeights old = weights.Readout;
        ReadoutWeights readout = plan.Readout is { } refitted
            ? refitted with { Weight = refitted.Weight * Spread(last) }
            : new ReadoutWeights(old.Weight * (last.FoldOrSelector() * Spread(last)), Add(old.Bias, Times(old.Weight, last.Offset)));
        return new NetworkWeights(architecture with { RecurrentRank = null, TiesWeights = plan.KeepsTies(architecture) }, recurrences, readout)
        {
            Embedding = weights.Embedding,
        };
    }

    private static LayerWeights Mask(LayerWeights weights, UnitPlan plan, UnitPlan? below, int gates)
    {
        Matrix hidden = weights.Hidden.Clone();
        if (plan.Mask is { } mask)
        {
            for (int i = 0; i < hidden.Data.Length; i++)
                if (mask.Data[i] == 0) hidden.Data[i] = 0;
        }

        if (plan.Factors is { } factors) hidden = factors.Left * factors.Right;
        double[] hiddenBias = Add(weights.HiddenBias, Times(hidden, plan.Offset));
        double[] inputBias = Add(weights.InputBias, Times(weights.Input, below?.Offset));
        hidden *= plan.FoldOrSelector() * Spread(plan);
        Matrix input = below is null ? weights.Input.Clone() : weights.Input * (below.FoldOrSelector() * Spread(below));
        if (plan.Correction is { } correction)
        {
            int[] rows = GateRows.Select(plan.Kept, plan.Units, gates);
            Matrix moreHidden = correction.Hidden * Spread(plan), moreInput = below is null ? correction.Input : correction.Input * Spread(below);
            for (int i = 0; i < rows.Length; i++)
            {
                for (int j = 0; j < hidden.Columns; j++) hidden[rows[i], j] += moreHidden[i, j];
                for (int j = 0; j < input.Columns; j++) input[rows[i], j] += moreInput[i, j];
                hiddenBias[rows[i]] += correction.Bias[i];
                inputBias[rows[i]] += correction.InputBias[i];
            }
        }

        foreach (int row in GateRows.Select([.. Enumerable.Range(0, plan.Units).Except(plan.Kept)], plan.Units, gates))
        {
            hidden.Row(row).Clear();
            input.Row(row).Clear();
            hiddenBias[row] = inputBias[row] = 0;
        }

        return new LayerWeights(input, hidden, inputBias, hiddenBias)
        {
            Peepholes = weights.Peepholes, // those of dropped units multiply a c of zero
        };
    }

    // E [k, m]: puts the kept units' columns where they stood.
    private static Matrix Spread(UnitPlan plan) => Matrix.Identity(plan.Units).SelectRows(plan.Kept);

    private static double[] Times(Matrix a, double[]? x) => x is null ? new double[a.Rows] : (a * Matrix.From(x.Length, 1, x)).Data;

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
