namespace GpuSpectralRnn.Tests.Support;

/// <summary>Softmax over time and attention by their definitions, in double precision.</summary>
public static class ReferenceAttention
{
    /// <summary>The softmax of x [t, b] over the valid steps of each sequence; zero beyond.</summary>
    public static double[] SoftmaxOverSteps(int t, int b, double[] x, int[] valid)
    {
        double[] y = new double[t * b];
        for (int row = 0; row < b; row++)
        {
            double[] column = [.. Enumerable.Range(0, valid[row]).Select(step => x[step * b + row])];
            double[] shares = Softmax(column);
            for (int step = 0; step < shares.Length; step++) y[step * b + row] = shares[step];
        }

        return y;
    }

    /// <summary>The gradient of x from y and the gradient of y.</summary>
    public static double[] SoftmaxOverStepsBackward(int t, int b, double[] y, double[] d, int[] valid)
    {
        double[] sums = new double[b];
        for (int i = 0; i < t * b; i++) sums[i % b] += i / b < valid[i % b] ? y[i] * d[i] : 0;
        return [.. y.Select((share, i) => i / b < valid[i % b] ? share * (d[i] - sums[i % b]) : 0)];
    }

    /// <summary>exp(x) over its sum; nothing of nothing.</summary>
    public static double[] Softmax(double[] x)
    {
        if (x.Length == 0) return [];
        double largest = x.Max();
        double sum = x.Sum(v => Math.Exp(v - largest));
        return [.. x.Select(v => Math.Exp(v - largest) / sum)];
    }
}
