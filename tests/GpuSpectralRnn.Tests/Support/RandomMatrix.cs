using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using MathNet.Numerics.LinearAlgebra;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>Random matrices by seed, and the way to the oracle's type.</summary>
internal static class RandomMatrix
{
    /// <summary>Elements uniform in [-1, 1).</summary>
    public static Matrix Uniform(int rows, int columns, int seed)
    {
        Random random = new(seed);
        Matrix result = new(rows, columns);
        for (int i = 0; i < result.Data.Length; i++) result.Data[i] = 2 * random.NextDouble() - 1;
        return result;
    }

    /// <summary>The symmetric part of <see cref="Uniform"/>: eigenvalues of both signs.</summary>
    public static Matrix Symmetric(int order, int seed)
    {
        Matrix a = Uniform(order, order, seed);
        return 0.5 * (a + a.Transpose());
    }

    /// <summary>
    /// The Gram matrix of 4 m states whose directions fade like 1 / (1 + l / 2), as those of hidden states do.
    /// </summary>
    public static Matrix Gram(int units, int seed)
    {
        Matrix states = Uniform(4 * units, units, seed), mix = Uniform(units, units, seed + 1);
        for (int i = 0; i < states.Rows; i++)
            for (int l = 0; l < units; l++) states[i, l] /= 1 + 0.5 * l;
        return Moments(states * mix);
    }

    /// <summary>(1/N) sum of the outer products of the rows.</summary>
    public static Matrix Moments(Matrix rows) => 1.0 / rows.Rows * Matrix.Product(rows, rows, transposeA: true);

    /// <summary>The same matrix for Math.NET.</summary>
    public static Matrix<double> Oracle(this Matrix a) => Matrix<double>.Build.DenseOfRowMajor(a.Rows, a.Columns, a.Data);

    /// <summary>The elements, row by row.</summary>
    public static double[] RowMajor(this Matrix<double> a) => a.ToRowMajorArray();
}
