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

    /// <summary>
    /// [h ; v ; h * v ; h * c] of h [t, b, f] and u [j, b, f] by w [3 f], each sequence with its valid steps; and the attention weights a [t, b, j] and
    /// b [t, b].
    /// </summary>
    public static (double[] Output, double[] Shares, double[] ContextShares) Attention(
        int t, int j, int b, int f, double[] h, double[] u, double[] w, int[] valid, int[] asked)
    {
        double[] output = new double[t * b * 4 * f], shares = new double[t * b * j], contextShares = new double[t * b];
        for (int row = 0; row < b; row++)
        {
            double[] Context(int step) => h[((step * b + row) * f)..((step * b + row + 1) * f)];
            double[] Question(int word) => u[((word * b + row) * f)..((word * b + row + 1) * f)];
            double Score(double[] x, double[] y) => x.Select((v, i) => w[i] * v + w[f + i] * y[i] + w[2 * f + i] * v * y[i]).Sum();
            int words = asked[row];
            double[][] questions = [.. Enumerable.Range(0, words).Select(Question)];
            double[][] scores = [.. Enumerable.Range(0, valid[row]).Select(step => questions.Select(question => Score(Context(step), question)).ToArray())];
            double[] ofContext = Softmax([.. scores.Select(score => score.Append(words == 0 ? 0 : double.NegativeInfinity).Max())]);
            double[] summary = new double[f];
            for (int step = 0; step < valid[row]; step++)
                for (int i = 0; i < f; i++) summary[i] += ofContext[step] * Context(step)[i];
            for (int step = 0; step < valid[row]; step++)
            {
                double[] ofQuestion = Softmax(scores[step]), own = Context(step);
                contextShares[step * b + row] = ofContext[step];
                ofQuestion.CopyTo(shares, (step * b + row) * j);
                for (int i = 0; i < f; i++)
                {
                    double gathered = questions.Select((question, word) => ofQuestion[word] * question[i]).Sum();
                    double[] values = [own[i], gathered, own[i] * gathered, own[i] * summary[i]];
                    for (int block = 0; block < 4; block++) output[((step * b + row) * 4 + block) * f + i] = values[block];
                }
            }
        }

        return (output, shares, contextShares);
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
