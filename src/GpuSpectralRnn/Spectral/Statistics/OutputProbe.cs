using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Random vectors v of the outputs, whose backpropagation estimates the sensitivity of the outputs to the states (docs/method.md, section 5.2).
/// </summary>
internal static class OutputProbe
{
    /// <summary>
    /// Replaces the outputs of the last forward pass by v, one for each row: N(0, I), or N(0, diag(p) - p p^T) in the Fisher metric of a classifier
    /// with p the softmax of the row. Rows of padding become zero.
    /// </summary>
    /// <param name="network">The network after its forward pass.</param>
    /// <param name="feed">The batch it read, or a slice of one: a row's v follows from its place in the whole batch.</param>
    /// <param name="metric">Metric of the outputs.</param>
    /// <param name="seed">Seed of the random numbers.</param>
    /// <param name="stream">Stream of the random numbers; increased for every output.</param>
    public static void Draw(Network network, DeviceBatches feed, AdjointMetric metric, ulong seed, ref ulong stream)
    {
        IBackend backend = network.Backend;
        for (int i = 0; i < network.Graph.Outputs.Count; i++)
        {
            Tensor outputs = network.Output(i);
            NumberWindow numbers = NumberWindow.OfRows(feed.First, feed.Size, feed.WholeSize, outputs.Shape.Columns);
            if (metric == AdjointMetric.Fisher && network.Recipe.Task == TaskKind.Classification)
            {
                using Tensor normals = backend.Allocate(outputs.Shape);
                backend.Random.Normal(new(normals, seed, stream++, 0, 1) { Numbers = numbers });
                backend.Loss.FisherDirections(new(outputs, normals));
            }
            else
            {
                backend.Random.Normal(new(outputs, seed, stream++, 0, 1) { Numbers = numbers });
            }

            Value value = network.Graph.Outputs[i];
            if (value.Kind == ValueKind.Sequence && feed.Current[network.Graph.FieldIndex(value)].Lengths is { } lengths)
                backend.Matrix.ClearPadding(new(outputs, lengths));
        }
    }
}
