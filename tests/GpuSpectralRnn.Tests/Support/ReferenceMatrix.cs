namespace GpuSpectralRnn.Tests.Support;

/// <summary>Matrix products and sums by their definitions, in double precision.</summary>
public static class ReferenceMatrix
{
    /// <summary>alpha op(A) op(B) + beta C, op(A) [m, k], op(B) [k, n], C [m, n].</summary>
    public static double[] Gemm(
        int m, int n, int k, double alpha, double[] a, bool transposeA, double[] b, bool transposeB, double beta = 0, double[]? c = null)
    {
        double[] result = new double[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int l = 0; l < k; l++) sum += a[transposeA ? l * m + i : i * k + l] * b[transposeB ? j * k + l : l * n + j];
                result[i * n + j] = alpha * sum + (beta == 0 ? 0 : beta * c![i * n + j]);
            }
        }

        return result;
    }

    /// <summary>x W^T + bias, x [n, i], W [o, i], bias [o] or none.</summary>
    public static double[] Linear(int n, int i, int o, double[] x, double[] weights, double[]? bias)
    {
        double[] y = Gemm(n, o, i, 1, x, false, weights, true);
        for (int j = 0; j < y.Length && bias is not null; j++) y[j] += bias[j % o];
        return y;
    }

    /// <summary>Column sums of x [m, n].</summary>
    public static double[] ColumnSums(int m, int n, double[] x)
    {
        double[] sums = new double[n];
        for (int i = 0; i < m * n; i++) sums[i % n] += x[i];
        return sums;
    }

    /// <summary>Sum of products.</summary>
    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
