using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Spectral;

/// <summary>Random directions v of the outputs: backpropagated, they show what a state does to the outputs.</summary>
internal static class Probe
{
    /// <summary>
    /// Replaces outputs by v, one for each row: N(0, I), or N(0, diag(p) - p p^T) in the Fisher metric of a classifier, p the softmax of the row.
    /// Rows of padding become zero.
    /// </summary>
    /// <param name="network">Whose outputs they are.</param>
    /// <param name="outputs">[B, O] or [T, B, O].</param>
    /// <param name="metric">How the outputs are weighed.</param>
    /// <param name="mask">From <see cref="Padding"/>.</param>
    /// <param name="seed">Of the random numbers.</param>
    /// <param name="stream">Of the random numbers; another for every call.</param>
    public static void Draw(Network network, Tensor outputs, AdjointMetric metric, float[]? mask, ulong seed, ulong stream)
    {
        if (metric == AdjointMetric.Fisher && network.Architecture.Task == TaskKind.Classification) DrawFisher(outputs, seed, stream);
        else network.Backend.Random.Normal(outputs, seed, stream, 0, 1);
        Padding.Clear(outputs, mask);
    }

    // u = diag(s) z - p (s . z) with s = sqrt(p), z ~ N(0, I), has the covariance diag(p) - p p^T.
    private static void DrawFisher(Tensor outputs, ulong seed, ulong stream)
    {
        float[] logits = outputs.ToArray();
        outputs.Backend.Random.Normal(outputs, seed, stream, 0, 1);
        float[] z = outputs.ToArray();
        int classes = outputs.Shape.Columns;
        Parallel.For(0, logits.Length / classes, row =>
        {
            Span<float> s = logits.AsSpan(row * classes, classes), normal = z.AsSpan(row * classes, classes);
            float largest = s[0];
            foreach (float logit in s) largest = MathF.Max(largest, logit);
            double sum = 0, inner = 0;
            for (int j = 0; j < classes; j++) sum += s[j] = MathF.Exp(s[j] - largest);
            for (int j = 0; j < classes; j++)
            {
                s[j] = (float)Math.Sqrt(s[j] / sum);
                inner += s[j] * normal[j];
            }

            for (int j = 0; j < classes; j++) normal[j] = s[j] * (normal[j] - s[j] * (float)inner);
        });
        outputs.CopyFrom<float>(z);
    }
}
