using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>Measures small networks, one after the other, against a big one on the same inputs, about which the big one is asked once.</summary>
internal sealed class DivergenceMeter : IDisposable
{
    private readonly Network big;
    private readonly DeviceBatches feed;
    private readonly Teacher teacher;
    private readonly CancellationToken cancellation;

    /// <summary>Takes the memory.</summary>
    /// <param name="big">The big network.</param>
    /// <param name="inputs">What to measure on.</param>
    /// <param name="batchSize">Sequences per batch.</param>
    /// <param name="cancellation">Ends a measurement with an <see cref="OperationCanceledException"/>.</param>
    public DivergenceMeter(Network big, ISequenceData inputs, int batchSize, CancellationToken cancellation = default)
    {
        (this.big, this.cancellation) = (big, cancellation);
        feed = new DeviceBatches(inputs, big.Backend, batchSize);
        teacher = new Teacher(big, inputs, feed.BatchSize, []);
    }

    /// <summary>On the inputs that a calibration chooses by.</summary>
    public static DivergenceMeter OfChoice(Calibration calibration) =>
        new(calibration.Network, calibration.Held, calibration.BatchSize, calibration.Cancellation);

    /// <summary>On the inputs that only judge.</summary>
    public static DivergenceMeter OfJudgement(Calibration calibration) =>
        new(calibration.Network, calibration.Judged, calibration.BatchSize, calibration.Cancellation);

    /// <summary>Measures the small network of a plan.</summary>
    /// <param name="weights">Of the big network.</param>
    /// <param name="plan">The plan.</param>
    public OutputDivergence Measure(NetworkWeights weights, PruningPlan plan)
    {
        using Network small = Slicer.Slice(weights, plan).ToNetwork(big.Backend);
        return Measure(small);
    }

    /// <summary>Measures a network on the same backend.</summary>
    public OutputDivergence Measure(Network small)
    {
        using LossTotals totals = big.Backend.Loss.CreateTotals();
        long padding = 0;
        feed.Restart();
        while (feed.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            teacher.See(feed);
            small.Forward(feed.Current);
            for (int i = 0; i < big.Graph.Outputs.Count; i++)
            {
                Tensor wanted = teacher.Output(i);
                OutputDivergence.Add(big, feed.Current, i, wanted, small.Output(i), 1, null, totals);
                if (big.Graph.Outputs[i].Kind == ValueKind.Sequence)
                    padding += wanted.Shape.Rows - feed.ValidSteps(big.Graph.FieldIndex(big.Graph.Outputs[i]));
            }
        }

        LossSums sums = totals.Read();
        long rows = sums.Rows - padding, agreeing = sums.Correct - padding;
        bool isClassifier = big.Recipe.Task == TaskKind.Classification;
        return new OutputDivergence(sums.Loss / rows, isClassifier ? (double)agreeing / rows : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        teacher.Dispose();
        feed.Dispose();
    }
}
