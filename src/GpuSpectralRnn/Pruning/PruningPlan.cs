using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>What is added to a layer's folded weights after its units were chosen (a refit of the rows).</summary>
/// <param name="Hidden">To W_hh [G*k, k].</param>
/// <param name="Input">To W_ih [G*k, inputs of the smaller network].</param>
/// <param name="Bias">To b_hh [G*k].</param>
public sealed record RowCorrection(Matrix Hidden, Matrix Input, double[] Bias);

/// <summary>What becomes of one layer.</summary>
public sealed record LayerPlan
{
    /// <summary>m, units before.</summary>
    public required int Units { get; init; }

    /// <summary>J, the units that stay, ascending. One set for all gates.</summary>
    public required int[] Kept { get; init; }

    /// <summary>A [m, k]: every consumer reads A h_J for h. Null: the others count as zero.</summary>
    public Matrix? Fold { get; init; }

    /// <summary>c [m]: every consumer reads A h_J + c; goes into their biases. Null for none.</summary>
    public double[]? Offset { get; init; }

    /// <summary>Refitted rows, as what is added to the folded ones.</summary>
    public RowCorrection? Correction { get; init; }

    /// <summary>Ones and zeros on W_hh [G*m, m] where single weights are taken away; then all units stay.</summary>
    public Matrix? Mask { get; init; }

    /// <summary>W_hh as two factors; then all units stay.</summary>
    public Factors? Factors { get; init; }

    /// <summary>A layer that stays as it is.</summary>
    public static LayerPlan Whole(int units) => new() { Units = units, Kept = [.. Enumerable.Range(0, units)] };

    /// <summary>The fold as a matrix [m, k], the selector where there is none.</summary>
    public Matrix FoldOrSelector() => Fold ?? Matrix.Identity(Units).SelectColumns(Kept);
}

/// <summary>What a compression method decided; <see cref="Slicer"/> carries it out, whatever the method.</summary>
/// <param name="Method">The method's name, for tables.</param>
/// <param name="Layers">One part for each recurrent layer.</param>
/// <param name="Readout">A refitted read-out [O, k] of the smaller network; null: the old one, folded.</param>
public sealed record PruningPlan(string Method, IReadOnlyList<LayerPlan> Layers, ReadoutWeights? Readout = null)
{
    /// <summary>Units that stay, layer by layer.</summary>
    public int[] Hidden => [.. Layers.Select(layer => layer.Kept.Length)];

    /// <summary>Whether single weights were taken away: the network keeps its size, and training must keep the mask.</summary>
    public bool IsUnstructured => Layers.Any(layer => layer.Mask is not null);

    /// <summary>The smaller network's architecture.</summary>
    public Architecture Shrink(Architecture architecture) => architecture with
    {
        Hidden = Hidden,
        RecurrentRank = Layers.All(layer => layer.Factors is null) ? null : [.. Layers.Select(layer => layer.Factors?.Right.Rows ?? 0)],
    };

    /// <summary>Refuses a plan that does not belong to the network.</summary>
    /// <exception cref="ArgumentException">Extents or units do not fit.</exception>
    public void Check(Architecture architecture)
    {
        if (Layers.Count != architecture.Layers)
            throw new ArgumentException($"A plan for {Layers.Count} layers does not fit a network of {architecture.Layers}.");
        int gates = architecture.Cell.Gates();
        for (int i = 0; i < Layers.Count; i++)
        {
            LayerPlan layer = Layers[i];
            int[] kept = layer.Kept;
            bool isAscending =
                kept.Length > 0 && kept[0] >= 0 && kept[^1] < layer.Units && kept.Zip(kept.Skip(1)).All(pair => pair.First < pair.Second);
            if (layer.Units != architecture.Hidden[i] || !isAscending)
            {
                throw new ArgumentException(
                    $"The plan keeps {kept.Length} of {layer.Units} units of layer {i} of {architecture.Hidden[i]}; list each once, ascending.");
            }

            if (layer.Fold is { } fold && (fold.Rows != layer.Units || fold.Columns != kept.Length))
                throw new ArgumentException($"The fold of layer {i} is {fold}; it must be {layer.Units} x {kept.Length}.");
            if (layer.Mask is { } mask && (mask.Rows != gates * layer.Units || mask.Columns != layer.Units || kept.Length != layer.Units))
                throw new ArgumentException(
                    $"The mask of layer {i} is {mask}; it must be {gates * layer.Units} x {layer.Units}, with all units kept.");
            if (layer.Factors is not null && kept.Length != layer.Units)
                throw new ArgumentException($"Layer {i} has factors; all its units must be kept.");
        }
    }
}
