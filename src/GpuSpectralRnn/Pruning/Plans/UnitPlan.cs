using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>What is added to a recurrence's folded weights after its units were chosen (a refit of the rows).</summary>
/// <param name="Hidden">To W_hh [G*k, k].</param>
/// <param name="Input">To W_ih [G*k, inputs of the smaller network].</param>
/// <param name="Bias">To b_hh [G*k].</param>
/// <param name="InputBias">To b_ih [G*k]; only a GRU's gate n tells the two biases apart.</param>
public sealed record RowCorrection(Matrix Hidden, Matrix Input, double[] Bias, double[] InputBias);

/// <summary>What becomes of the units of one axis.</summary>
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

    /// <summary>Refitted rows of the recurrence that makes the units, as what is added to the folded ones.</summary>
    public RowCorrection? Correction { get; init; }

    /// <summary>Ones and zeros on W_hh [G*m, m] where single weights are taken away; then all units stay.</summary>
    public Matrix? Mask { get; init; }

    /// <summary>W_hh as two factors; then all units stay.</summary>
    public Factors? Factors { get; init; }

    /// <summary>An axis that stays as it is.</summary>
    public static UnitPlan Whole(int units) => new() { Units = units, Kept = [.. Enumerable.Range(0, units)] };

    /// <summary>What gates leave of an axis (<see cref="UnitGates"/>): the units whose number is not zero, which everybody reads scaled by it.</summary>
    /// <param name="gates">z [m], not all zero.</param>
    /// <exception cref="ArgumentException">All gates are shut.</exception>
    public static UnitPlan OfGates(ReadOnlySpan<float> gates)
    {
        float[] z = gates.ToArray();
        int[] kept = [.. Enumerable.Range(0, z.Length).Where(j => z[j] != 0)];
        return kept.Length > 0 ? OfGates(z, kept) : throw new ArgumentException("All gates are shut; one unit at least must stay.", nameof(gates));
    }

    /// <summary>The same with the units to keep, among which all open ones are.</summary>
    internal static UnitPlan OfGates(float[] z, int[] kept)
    {
        Matrix fold = new(z.Length, kept.Length);
        for (int i = 0; i < kept.Length; i++) fold[kept[i], i] = z[kept[i]];
        return new UnitPlan { Units = z.Length, Kept = kept, Fold = fold };
    }

    /// <summary>Whether nobody reads the units otherwise than before.</summary>
    public bool IsWhole => Fold is null && Offset is null && Kept.Length == Units;

    /// <summary>The fold as a matrix [m, k], the selector where there is none.</summary>
    public Matrix FoldOrSelector() => Fold ?? Matrix.Identity(Units).SelectColumns(Kept);

    /// <summary>E [k, m]: puts the kept units' columns where they stood.</summary>
    internal Matrix Spread() => Matrix.Identity(Units).SelectRows(Kept);

    /// <summary>
    /// How a consumer of several axes side by side reads them: their units one after the other, their folds as the blocks of a diagonal.
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

    /// <summary>Refuses a plan that does not belong to an axis.</summary>
    /// <exception cref="ArgumentException">Extents or units do not fit.</exception>
    internal void Check(string name, int units)
    {
        bool isAscending = Kept.Length > 0 && Kept[0] >= 0 && Kept[^1] < Units && Kept.Zip(Kept.Skip(1)).All(pair => pair.First < pair.Second);
        if (Units != units || !isAscending)
            throw new ArgumentException($"The plan keeps {Kept.Length} of {Units} units of {name} of {units}; list each once, ascending.");
        if (Fold is { } fold && (fold.Rows != Units || fold.Columns != Kept.Length))
            throw new ArgumentException($"The fold of {name} is {fold}; it must be {Units} x {Kept.Length}.");
        if (Factors is not null && Kept.Length != Units) throw new ArgumentException($"{name} has factors; all its units must be kept.");
    }
}
