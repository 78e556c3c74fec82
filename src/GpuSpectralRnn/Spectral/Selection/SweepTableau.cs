using System.Numerics;
using System.Runtime.InteropServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// The state of a selection: the matrix S + I_tau swept on the kept units J (the sweep operator: Dempster 1969; Goodnight, Am. Statistician 33,
/// 1979). With K the dropped units, P = (S_JJ + I_tau)^{-1} and A = S_{:,J} P,
///     T_JJ = -P,   T_KJ = A_K = T_JK^T,   T_KK = R_KK + I_tau.
/// A row gives the vector v_i of a move of unit i: the column R_{:,i} of the residual for a dropped unit, the column A_{:,i} of the
/// reconstruction for a kept one. Adding i lowers L_M by v_i^T M v_i / T_ii, removing it raises L_M by v_i^T M v_i / P_ii, and a move of j changes
/// every other vector to v_i - (T_ij / T_jj) v_j. Stored beside T are the rows z_i = M v_i, which follow the same rule, and the numbers
/// v_i^T M v_i. A move costs O(m^2).
/// </summary>
internal sealed class SweepTableau
{
    /// <summary>
    /// A dropped unit whose pivot is at most this fraction of its diagonal element is linearly dependent on the kept ones within rounding.
    /// </summary>
    private const double DependentShare = 1e-13;

    /// <summary>Number of units below which a second thread does not pay.</summary>
    private const int WorthThreads = 192;

    private readonly SelectionProblem problem;
    private readonly bool movesKept, movesDropped;
    private readonly Matrix t, z;
    private readonly double[] energy;
    private readonly double[] scale;
    private readonly bool[] isKept;

    /// <summary>Computes the state of a set.</summary>
    /// <param name="problem">The selection problem.</param>
    /// <param name="kept">J.</param>
    /// <param name="movesKept">Whether kept units may be removed; otherwise their rows are not updated.</param>
    /// <param name="movesDropped">Whether dropped units may be added; otherwise their rows are not updated.</param>
    /// <exception cref="InvalidCallException">S_JJ + I_tau is singular.</exception>
    public SweepTableau(SelectionProblem problem, ReadOnlySpan<int> kept, bool movesKept, bool movesDropped)
    {
        (this.problem, this.movesKept, this.movesDropped) = (problem, movesKept, movesDropped);
        int m = problem.Units;
        isKept = new bool[m];
        scale = new double[m];
        energy = new double[m];
        foreach (int j in kept) isKept[j] = true;
        for (int i = 0; i < m; i++) scale[i] = isKept[i] ? problem.Ridge[i] : 1;
        t = Sweep(problem, kept);
        Matrix v = new(m, m);
        for (int i = 0; i < m; i++)
        {
            for (int l = 0; l < m; l++) v[i, l] = scale[l] * t[i, l];
            v[i, i] += Offset(i);
        }

        z = v * problem.Criterion;
        for (int i = 0; i < m; i++) energy[i] = VectorOps.Dot(v.Row(i), z.Row(i));
    }

    /// <summary>Whether a unit is kept.</summary>
    public bool IsKept(int unit) => isKept[unit];

    /// <summary>J, ascending.</summary>
    public int[] Kept() => [.. Enumerable.Range(0, isKept.Length).Where(i => isKept[i])];

    /// <summary>The change of the loss by moving the unit: the decrease if it is added, the increase if it is removed. Never negative.</summary>
    public double Change(int unit) => Math.Max(0, energy[unit]) / Math.Abs(t[unit, unit]);

    /// <summary>
    /// L_M(J) = Tr(M R_J): R_ij = scale_i T_ij scale_j, on its diagonal + tau_i of kept and - tau_i of dropped units. Needs the rows of all units.
    /// </summary>
    public double Loss()
    {
        Matrix m = problem.Criterion;
        double sum = 0;
        for (int i = 0; i < problem.Units; i++)
        {
            double row = 0;
            for (int j = 0; j < problem.Units; j++) row += m[i, j] * t[i, j] * scale[j];
            sum += (scale[i] * row) + (m[i, i] * (isKept[i] ? problem.Ridge[i] : -problem.Ridge[i]));
        }

        return sum;
    }

    /// <summary>
    /// Whether a dropped unit is linearly dependent on the kept ones within rounding (or always zero): it cannot be added without a ridge.
    /// </summary>
    public bool IsDependent(int unit) => IsDependent(unit, t[unit, unit]);

    /// <summary>
    /// The changes of the loss by exchanging a kept unit for a dropped one, for all pairs [kept, dropped]. Infinite where the dropped unit is
    /// linearly dependent on those that stay. Needs the rows of both.
    /// </summary>
    public Matrix Exchanges(ReadOnlySpan<int> kept, ReadOnlySpan<int> dropped)
    {
        Matrix v = new(kept.Length, problem.Units);
        for (int a = 0; a < kept.Length; a++)
        {
            for (int l = 0; l < problem.Units; l++) v[a, l] = scale[l] * t[kept[a], l];
            v[a, kept[a]] += Offset(kept[a]);
        }

        Matrix change = Matrix.Product(v, z.SelectRows(dropped), transposeB: true); // v_p^T M v_q
        for (int a = 0; a < kept.Length; a++)
        {
            int p = kept[a];
            for (int b = 0; b < dropped.Length; b++)
            {
                int q = dropped[b];
                double factor = t[q, p] / t[p, p];
                double energyAfter = energy[q] - 2 * factor * change[a, b] + factor * factor * energy[p], pivotAfter = t[q, q] - factor * t[q, p];
                change[a, b] = IsDependent(q, pivotAfter) ? double.PositiveInfinity : Change(p) - Math.Max(0, energyAfter) / pivotAfter;
            }
        }

        return change;
    }

    /// <summary>Adds a dropped unit, or removes a kept one.</summary>
    public void Move(int unit)
    {
        int m = problem.Units;
        double pivot = t[unit, unit], sign = isKept[unit] ? -1 : 1;
        double[] pivotRow = t.Row(unit).ToArray(), pivotZ = z.Row(unit).ToArray();
        pivotRow[unit] = 0; // the pivot's own column is written apart
        isKept[unit] = !isKept[unit];
        scale[unit] = isKept[unit] ? problem.Ridge[unit] : 1;

        void MoveRow(int i)
        {
            if (!(isKept[i] ? movesKept : movesDropped)) return;
            Span<double> rowT = t.Row(i), rowZ = z.Row(i);
            if (i == unit)
            {
                for (int l = 0; l < m; l++) rowT[l] = sign * pivotRow[l] / pivot;
                for (int l = 0; l < m; l++) rowZ[l] = sign * pivotZ[l] / pivot;
                rowT[i] = -1 / pivot;
                energy[i] = SubtractAndMeasure(0, pivotRow, pivotZ, rowT, rowZ);
            }
            else
            {
                double factor = rowT[unit] / pivot;
                rowT[unit] = sign * factor;
                energy[i] = SubtractAndMeasure(factor, pivotRow, pivotZ, rowT, rowZ);
            }

            energy[i] += Offset(i) * rowZ[i];
        }

        void MoveRows(int part, long from, long to)
        {
            for (long i = from; i < to; i++) MoveRow((int)i);
        }

        if (m >= WorthThreads) HostParallel.Shared.Split(m, 1, (long)m * m, MoveRows);
        else MoveRows(0, 0, m);
    }

    private bool IsDependent(int unit, double pivot) => !(pivot > DependentShare * (problem.Gram[unit, unit] + problem.Ridge[unit]));

    private static bool IsWhole(SelectionProblem problem, ReadOnlySpan<int> kept)
    {
        if (kept.Length != problem.Units) return false;
        for (int i = 0; i < kept.Length; i++)
            if (kept[i] != i) return false;
        return true;
    }

    // v_i = scale * T_i + offset e_i (see the class): R_ii = T_ii - tau_i, A_ii = 1 - tau_i P_ii.
    private double Offset(int unit) => isKept[unit] ? 1 : -problem.Ridge[unit];

    // T_i -= factor T_j, z_i -= factor z_j; returns the sum of scale * T_i * z_i.
    private double SubtractAndMeasure(double factor, ReadOnlySpan<double> pivotRow, ReadOnlySpan<double> pivotZ, Span<double> rowT, Span<double> rowZ)
    {
        ReadOnlySpan<Vector<double>> widePivot = MemoryMarshal.Cast<double, Vector<double>>(pivotRow);
        ReadOnlySpan<Vector<double>> widePivotZ = MemoryMarshal.Cast<double, Vector<double>>(pivotZ);
        ReadOnlySpan<Vector<double>> wideScale = MemoryMarshal.Cast<double, Vector<double>>(scale.AsSpan());
        Span<Vector<double>> wideT = MemoryMarshal.Cast<double, Vector<double>>(rowT), wideZ = MemoryMarshal.Cast<double, Vector<double>>(rowZ);
        Vector<double> factors = new(-factor), sums = default;
        int i = 0;
        for (; i < wideT.Length; i++)
        {
            Vector<double> newT = Vector.MultiplyAddEstimate(factors, widePivot[i], wideT[i]);
            Vector<double> newZ = Vector.MultiplyAddEstimate(factors, widePivotZ[i], wideZ[i]);
            wideT[i] = newT;
            wideZ[i] = newZ;
            sums = Vector.MultiplyAddEstimate(wideScale[i] * newT, newZ, sums);
        }

        double sum = Vector.Sum(sums);
        for (i *= Vector<double>.Count; i < rowT.Length; i++)
        {
            rowT[i] -= factor * pivotRow[i];
            rowZ[i] -= factor * pivotZ[i];
            sum += scale[i] * rowT[i] * rowZ[i];
        }

        return sum;
    }

    // The matrix T of the class's summary.
    private static Matrix Sweep(SelectionProblem problem, ReadOnlySpan<int> kept)
    {
        if (IsWhole(problem, kept))
        {
            Matrix all = Reconstruction.FactorKept(problem.Gram, problem.Ridge, kept).Inverse();
            for (int i = 0; i < all.Data.Length; i++) all.Data[i] = -all.Data[i];
            return all;
        }

        Matrix swept = problem.Gram.Clone();
        for (int i = 0; i < problem.Units; i++) swept[i, i] += problem.Ridge[i];
        if (kept.Length == 0) return swept;
        Cholesky factor = Reconstruction.FactorKept(problem.Gram, problem.Ridge, kept);
        Matrix inverse = factor.Inverse(), rows = problem.Gram.SelectRows(kept);
        Matrix reconstruction = Matrix.Product(rows, inverse, transposeA: true); // [m, k]
        swept -= reconstruction * rows;
        for (int a = 0; a < kept.Length; a++)
        {
            for (int i = 0; i < problem.Units; i++) swept[i, kept[a]] = swept[kept[a], i] = reconstruction[i, a];
        }

        for (int a = 0; a < kept.Length; a++)
            for (int b = 0; b < kept.Length; b++) swept[kept[a], kept[b]] = -inverse[a, b];
        return swept;
    }
}
