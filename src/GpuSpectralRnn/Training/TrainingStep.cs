using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>One training step on the device: forward pass, objective, backward pass, clipping, optimiser, masks; pruning at its places between.</summary>
public sealed class TrainingStep
{
    private readonly Network network;
    private readonly Optimizer optimizer;
    private readonly Action<DropoutMask> backpropagate;

    /// <summary>A step on whatever a caller gives.</summary>
    /// <param name="network">Trained in place.</param>
    /// <param name="batch">Gives the batch of a step.</param>
    /// <param name="loss">Overwrites the outputs by the gradients of the loss that is minimised.</param>
    /// <param name="optimizer">Updates the parameters.</param>
    public TrainingStep(Network network, Func<SequenceBatch> batch, Action loss, Optimizer optimizer)
        : this(network, optimizer, dropout =>
        {
            network.Parameters.ClearGradients();
            network.Forward(batch(), isTraining: true, dropout);
            loss();
            network.BackwardFromOutputs();
        })
    {
    }

    /// <summary>A step on batches of a data set.</summary>
    /// <param name="network">Trained in place.</param>
    /// <param name="feed">The batches; a step is on that of the last <see cref="DeviceBatches.Next"/>.</param>
    /// <param name="objective">The loss that is minimised.</param>
    /// <param name="optimizer">Updates the parameters.</param>
    /// <param name="totals">Receives the losses.</param>
    public TrainingStep(Network network, DeviceBatches feed, Objective objective, Optimizer optimizer, LossTotals totals)
        : this(network, () => feed.Current, () => objective.Apply(network, feed, isTraining: true, totals), optimizer)
    {
    }

    /// <summary>A step on the shards of batches, with all members of a group.</summary>
    /// <param name="network">Trained in place.</param>
    /// <param name="shards">The shards; a step is on those of the last <see cref="BatchShards.Next"/>.</param>
    /// <param name="objective">The loss that is minimised.</param>
    /// <param name="optimizer">Updates the parameters.</param>
    internal TrainingStep(Network network, BatchShards shards, Objective objective, Optimizer optimizer)
        : this(network, optimizer, OnShards(network, shards, objective))
    {
    }

    private TrainingStep(Network network, Optimizer optimizer, Action<DropoutMask> backpropagate) =>
        (this.network, this.optimizer, this.backpropagate) = (network, optimizer, backpropagate);

    /// <summary>What is pruned on the way; null for nothing.</summary>
    public ITrainedPruning? Pruning { get; init; }

    /// <summary>Called between the backward pass and the optimiser, to change gradients; null for nothing.</summary>
    public Action? GradientsReady { get; init; }

    /// <summary>One step on the current batch.</summary>
    /// <param name="rate">The learning rate.</param>
    /// <param name="step">1-based, over the whole run.</param>
    /// <param name="dropout">The dropout mask.</param>
    public void Run(double rate, long step, DropoutMask dropout = default)
    {
        Pruning?.BeforeStep(step);
        Backpropagate(dropout);
        Pruning?.AfterBackward(step);
        GradientsReady?.Invoke();
        optimizer.Step(rate, step);
        network.Parameters.ApplyMask();
        Pruning?.AfterStep(step, rate);
    }

    /// <summary>Computes the gradients of a batch without updating the parameters.</summary>
    public void Backpropagate(DropoutMask dropout = default) => backpropagate(dropout);

    // Made once: a step allocates nothing.
    private static Action<DropoutMask> OnShards(Network network, BatchShards shards, Objective objective)
    {
        Action<DeviceBatches, LossTotals, DropoutMask> pass = (feed, totals, dropout) =>
        {
            network.Forward(feed.Current, isTraining: true, dropout);
            objective.Apply(network, feed, isTraining: true, totals);
            network.BackwardFromOutputs();
        };
        return dropout => shards.Backpropagate(pass, dropout);
    }
}
