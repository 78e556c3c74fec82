using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
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
        HostThreads.Shared.Split(logits.Length / classes, 1, logits.Length, (_, first, end) =>
        {
            for (int row = (int)first; row < end; row++) Turn(logits.AsSpan(row * classes, classes), z.AsSpan(row * classes, classes));
        });
        outputs.CopyFrom<float>(z);
    }

    // Logits s [C] and z [C] of one row; z becomes u.
    private static void Turn(Span<float> s, Span<float> normal)
    {
        int classes = s.Length;
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
    }
}
