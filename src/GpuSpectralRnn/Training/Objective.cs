using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>The loss that a training step minimises.</summary>
public abstract class Objective
{
    /// <summary>
    /// Adds the losses of the last forward pass over a batch to <paramref name="totals"/>; in training overwrites the outputs with the gradients of
    /// the mean loss.
    /// </summary>
    /// <param name="network">The network after its forward pass.</param>
    /// <param name="feed">The batch.</param>
    /// <param name="isTraining">Whether the outputs become their gradients.</param>
    /// <param name="totals">Receives the losses.</param>
    public abstract void Apply(Network network, DeviceBatches feed, bool isTraining, LossTotals totals);
}

/// <summary>
/// The loss of a network's task, averaged over the labelled rows of a batch: softmax cross-entropy, summed over the outputs of a network that has
/// several, or the mean squared error.
/// </summary>
public sealed class TargetObjective : Objective
{
    /// <inheritdoc/>
    public override void Apply(Network network, DeviceBatches feed, bool isTraining, LossTotals totals)
    {
        ILossOps loss = network.Backend.Loss;
        for (int i = 0; i < network.Graph.Outputs.Count; i++)
        {
            Tensor outputs = network.Output(i);
            Tensor? gradient = isTraining ? outputs : null;
            float scale = 1f / feed.MeanRows(i);
            if (network.Recipe.Task == TaskKind.Classification) loss.SoftmaxCrossEntropy(new(outputs, feed.Targets[i], scale, gradient, totals));
            else loss.MeanSquaredError(new(outputs, feed.Targets[i], scale, gradient, totals));
        }
    }
}
