using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// One training step, whoever trains: forward, objective, backward, clipping, optimiser, what stays taken away. It stays on the device.
/// </summary>
/// <param name="network">Trained in place.</param>
/// <param name="feed">The batches.</param>
/// <param name="objective">What is minimised.</param>
/// <param name="optimizer">Moves the parameters.</param>
/// <param name="totals">Receives the losses.</param>
internal sealed class TrainingStep(Network network, DeviceBatches feed, Objective objective, Optimizer optimizer, LossTotals totals)
{
    /// <summary>Trains on the batch that <see cref="DeviceBatches.Next"/> brought.</summary>
    /// <param name="rate">The learning rate.</param>
    /// <param name="step">1-based, over the whole run.</param>
    /// <param name="dropout">What is dropped.</param>
    public void Run(double rate, long step, DropoutMask dropout = default)
    {
        Backpropagate(dropout);
        optimizer.Step(rate, step);
        network.Parameters.ApplyMask();
    }

    /// <summary>Computes the gradients of a batch and nothing more.</summary>
    public void Backpropagate(DropoutMask dropout = default)
    {
        network.Forward(feed.Current, isTraining: true, dropout);
        objective.Apply(network, feed, isTraining: true, totals);
        network.Backend.Fill(network.Parameters.Gradients, 0);
        network.BackwardFromOutputs();
    }
}
