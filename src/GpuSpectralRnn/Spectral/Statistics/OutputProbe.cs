using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Spectral;

/// <summary>Random directions v of the outputs: backpropagated, they show what a state does to the outputs.</summary>
internal static class OutputProbe
{
    /// <summary>
    /// Replaces outputs by v, one for each row: N(0, I), or N(0, diag(p) - p p^T) in the Fisher metric of a classifier, p the softmax of the row.
    /// Rows of padding become zero.
    /// </summary>
    /// <param name="network">Whose outputs they are.</param>
    /// <param name="outputs">[B, O] or [T, B, O].</param>
    /// <param name="lengths">Int32 [B], the sequences' lengths; null where all are whole.</param>
    /// <param name="metric">How the outputs are weighed.</param>
    /// <param name="seed">Of the random numbers.</param>
    /// <param name="stream">Of the random numbers; another for every call.</param>
    public static void Draw(Network network, Tensor outputs, Tensor? lengths, AdjointMetric metric, ulong seed, ulong stream)
    {
        IBackend backend = network.Backend;
        if (metric == AdjointMetric.Fisher && network.Architecture.Task == TaskKind.Classification)
        {
            using Tensor normals = backend.Allocate(outputs.Shape);
            backend.Random.Normal(new(normals, seed, stream, 0, 1));
            backend.Loss.FisherDirections(new(outputs, normals));
        }
        else
        {
            backend.Random.Normal(new(outputs, seed, stream, 0, 1));
        }

        if (lengths is not null && network.Architecture.Readout == Readout.Every) backend.Matrix.ClearPadding(new(outputs, lengths));
    }
}
