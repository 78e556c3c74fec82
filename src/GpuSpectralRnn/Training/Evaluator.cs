using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Training;

/// <summary>Runs a network over a whole data set: its metric, or its outputs. Keeps its memory from run to run.</summary>
public sealed class Evaluator : IDisposable
{
    private readonly Network network;
    private readonly ISequenceData data;
    private readonly BatchFeed feed;
    private readonly LossTotals totals;

    /// <summary>Checks that the data fit the network.</summary>
    /// <exception cref="InvalidCallException">They do not, or the set is empty.</exception>
    public Evaluator(Network network, ISequenceData data, int batchSize)
    {
        network.Architecture.CheckFits(data.Layout, data.Name);
        this.network = network;
        this.data = data;
        feed = new BatchFeed(data, network.Backend, batchSize);
        totals = network.Backend.Loss.CreateTotals();
    }

    /// <summary>Called after each batch with the number of sequences done.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>The metric over the whole set.</summary>
    /// <exception cref="InvalidCallException">The data have no targets.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Evaluation Run(CancellationToken cancellation = default)
    {
        if (data.Layout.Target == TargetKind.None) throw new InvalidCallException($"{data.Name} has no targets to compare with; give labels or values.");
        totals.Reset();
        foreach (Tensor outputs in Outputs(cancellation)) Objective.Apply(network, outputs, feed, gradient: null, totals);
        return Evaluation.Of(totals.Read(), network.Architecture.Task);
    }

    /// <summary>The outputs (logits or predictions) of every sequence in order: [N, O], or [N, T, O] from a network that answers at every step.</summary>
    /// <exception cref="InvalidCallException">They are too many for one array.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public (Shape Shape, float[] Values) Predict(CancellationToken cancellation = default)
    {
        int outputs = network.Architecture.Outputs;
        bool isEvery = network.Architecture.Readout == Readout.Every;
        int steps = isEvery ? data.Layout.Steps : 1;
        long count = (long)data.Count * steps * outputs;
        if (count > Array.MaxLength) throw new InvalidCallException($"{data.Name} gives {count} outputs, more than one array holds; limit the number of sequences.");
        float[] values = new float[count];
        float[] scratch = new float[steps * feed.BatchSize * outputs];
        int first = 0;
        foreach (Tensor batch in Outputs(cancellation))
        {
            Span<float> downloaded = scratch.AsSpan(0, (int)batch.Count);
            batch.CopyTo(downloaded);
            for (int b = 0; b < feed.Size; b++)
            {
                // Time-major [T, B, O] on the device, sequence-major [N, T, O] for the caller.
                for (int t = 0; t < steps; t++)
                    downloaded.Slice(((t * feed.Size) + b) * outputs, outputs).CopyTo(values.AsSpan((((first + b) * steps) + t) * outputs));
            }

            first += feed.Size;
        }

        return (isEvery ? new Shape(data.Count, steps, outputs) : new Shape(data.Count, outputs), values);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        feed.Dispose();
        totals.Dispose();
    }

    private IEnumerable<Tensor> Outputs(CancellationToken cancellation)
    {
        feed.Restart();
        int done = 0;
        while (feed.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            yield return network.Forward(feed.Current);
            done += feed.Size;
            Progress?.Invoke(done);
        }
    }
}
