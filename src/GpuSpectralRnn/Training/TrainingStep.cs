using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>One training step on the device: forward pass, objective, backward pass, clipping, optimiser, masks; pruning at its places between.</summary>
/// <param name="network">Trained in place.</param>
/// <param name="feed">The batches.</param>
/// <param name="objective">The loss that is minimised.</param>
/// <param name="optimizer">Updates the parameters.</param>
/// <param name="totals">Receives the losses.</param>
internal sealed class TrainingStep(Network network, DeviceBatches feed, Objective objective, Optimizer optimizer, LossTotals totals)
{
    /// <summary>What is pruned on the way; null for nothing.</summary>
    public ITrainedPruning? Pruning { get; init; }

    /// <summary>One step on the batch of the last <see cref="DeviceBatches.Next"/>.</summary>
    /// <param name="rate">The learning rate.</param>
    /// <param name="step">1-based, over the whole run.</param>
    /// <param name="dropout">The dropout mask.</param>
    public void Run(double rate, long step, DropoutMask dropout = default)
    {
        Pruning?.BeforeStep(step);
        Backpropagate(dropout);
        Pruning?.AfterBackward(step);
        optimizer.Step(rate, step);
        network.Parameters.ApplyMask();
        Pruning?.AfterStep(step, rate);
    }

    /// <summary>Computes the gradients of a batch without updating the parameters.</summary>
    public void Backpropagate(DropoutMask dropout = default)
    {
        network.Forward(feed.Current, isTraining: true, dropout);
        objective.Apply(network, feed, isTraining: true, totals);
        network.Backend.Fill(network.Parameters.Gradients, 0);
        network.BackwardFromOutputs();
    }
}
