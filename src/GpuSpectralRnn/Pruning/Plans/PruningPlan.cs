using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>What is added to a recurrence's folded weights after its units were chosen (a refit of the rows).</summary>
/// <param name="Hidden">To W_hh [G*k, k].</param>
/// <param name="Input">To W_ih [G*k, inputs of the smaller network].</param>
/// <param name="Bias">To b_hh [G*k].</param>
/// <param name="InputBias">To b_ih [G*k]; only a GRU's gate n tells the two biases apart.</param>
public sealed record RowCorrection(Matrix Hidden, Matrix Input, double[] Bias, double[] InputBias);

/// <summary>What becomes of the units of one recurrence, or of the columns of an embedding.</summary>
public sealed record UnitPlan
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
    public static UnitPlan Whole(int units) => new() { Units = units, Kept = [.. Enumerable.Range(0, units)] };

    /// <summary>The fold as a matrix [m, k], the selector where there is none.</summary>
    public Matrix FoldOrSelector() => Fold ?? Matrix.Identity(Units).SelectColumns(Kept);

    /// <summary>
    /// How a consumer of several recurrences side by side reads them: their units one after the other, their folds as the blocks of a diagonal.
    /// </summary>
    public static UnitPlan Join(IReadOnlyList<UnitPlan> parts)
    {
        if (parts.Count == 1) return parts[0];
        int units = parts.Sum(part => part.Units), k = parts.Sum(part => part.Kept.Length);
        (int[] kept, double[] offset) = (new int[k], new double[units]);
        int row = 0, column = 0;
        foreach (UnitPlan part in parts)
        {
            for (int j = 0; j < part.Kept.Length; j++) kept[column + j] = row + part.Kept[j];
            part.Offset?.CopyTo(offset, row);
            row += part.Units;
            column += part.Kept.Length;
        }

        return new UnitPlan
        {
            Units = units,
            Kept = kept,
            Fold = parts.All(part => part.Fold is null) ? null : Matrix.BlockDiagonal([.. parts.Select(part => part.FoldOrSelector())]),
            Offset = parts.All(part => part.Offset is null) ? null : offset,
        };
    }
}

/// <summary>What a compression method decided; <see cref="Slicer"/> carries it out, whatever the method.</summary>
/// <param name="Method">The method's name, for tables.</param>
/// <param name="Recurrences">One part for each layer and direction (<see cref="Architecture.Recurrences"/>); the directions of a layer keep as many
/// units, not the same.</param>
/// <param name="Readout">A refitted read-out [O, D*k] of the smaller network; null: the old one, folded.</param>
public sealed record PruningPlan(string Method, IReadOnlyList<UnitPlan> Recurrences, ReadoutWeights? Readout = null)
{
    /// <summary>Which columns of the embedding stay, and how the first layer reads them; null: the embedding stays as it is.</summary>
    public UnitPlan? Embedding { get; init; }

    /// <summary>Whether single weights were taken away: the network keeps its size, and training must keep the mask.</summary>
    public bool IsUnstructured => Recurrences.Any(plan => plan.Mask is not null);

    /// <summary>How the consumers above layer <paramref name="layer"/> (0-based) read it.</summary>
    public UnitPlan Layer(Architecture architecture, int layer) =>
        UnitPlan.Join([.. Enumerable.Range(layer * architecture.Directions, architecture.Directions).Select(r => Recurrences[r])]);

    /// <summary>How layer <paramref name="layer"/> reads what is below it; null where it reads inputs that stay as they are.</summary>
    public UnitPlan? Below(Architecture architecture, int layer) => layer == 0 ? Embedding : Layer(architecture, layer - 1);

    /// <summary>
    /// Whether a read-out tied to the embedding stays so: any change of the one or of the layer that the other reads gives the two weights of their
    /// own.
    /// </summary>
    public bool KeepsTies(Architecture architecture) =>
        architecture.TiesWeights
        && Readout is null
        && Embedding is null
        && Layer(architecture, architecture.Layers - 1) is { Fold: null, Offset: null } top
        && top.Kept.Length == top.Units;

    /// <summary>The smaller network's architecture.</summary>
    public Architecture Shrink(Architecture architecture) => architecture with
    {
        Inputs = Embedding?.Kept.Length ?? architecture.Inputs,
        TiesWeights = KeepsTies(architecture),
        Hidden = [.. Enumerable.Range(0, architecture.Layers).Select(layer => Recurrences[layer * architecture.Directions].Kept.Length)],
        RecurrentRank = Recurrences.All(plan => plan.Factors is null) ? null : [.. Recurrences.Select(plan => plan.Factors?.Right.Rows ?? 0)],
    };

    /// <summary>Refuses a plan that does not belong to the network.</summary>
    /// <exception cref="ArgumentException">Extents or units do not fit.</exception>
    public void Check(Architecture architecture)
    {
        if (Recurrences.Count != architecture.Recurrences)
            throw new ArgumentException($"A plan for {Recurrences.Count} recurrences does not fit a network of {architecture.Recurrences}.");
        int gates = architecture.Cell.Gates();
        for (int r = 0; r < Recurrences.Count; r++)
        {
            (UnitPlan plan, string name) = (Recurrences[r], architecture.RecurrenceName(r));
            int[] kept = plan.Kept;
            Check(plan, architecture.RecurrenceUnits(r), name);
            if (kept.Length != Recurrences[r - (r % architecture.Directions)].Kept.Length)
                throw new ArgumentException($"The plan keeps {kept.Length} units of {name}, and another number in the other direction.");
            if (plan.Mask is { } mask && (mask.Rows != gates * plan.Units || mask.Columns != plan.Units || kept.Length != plan.Units))
                throw new ArgumentException(
                    $"The mask of {name} is {mask}; it must be {gates * plan.Units} x {plan.Units}, with all units kept.");
            if (plan.Factors is not null && kept.Length != plan.Units)
                throw new ArgumentException($"{name} has factors; all its units must be kept.");
        }

        if (Embedding is null) return;
        if (!architecture.HasEmbedding) throw new ArgumentException("The plan is for an embedding, which the network lacks.");
        Check(Embedding, architecture.Inputs, ParameterSpec.Embedding);
    }

    private static void Check(UnitPlan plan, int units, string name)
    {
        int[] kept = plan.Kept;
        bool isAscending = kept.Length > 0 && kept[0] >= 0 && kept[^1] < plan.Units && kept.Zip(kept.Skip(1)).All(pair => pair.First < pair.Second);
        if (plan.Units != units || !isAscending)
            throw new ArgumentException($"The plan keeps {kept.Length} of {plan.Units} units of {name} of {units}; list each once, ascending.");
        if (plan.Fold is { } fold && (fold.Rows != plan.Units || fold.Columns != kept.Length))
            throw new ArgumentException($"The fold of {name} is {fold}; it must be {plan.Units} x {kept.Length}.");
    }
}
