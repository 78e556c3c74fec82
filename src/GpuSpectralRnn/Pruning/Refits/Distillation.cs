using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Refinement without labels: Adam on KL(softmax big || softmax small), of a regression on the squared difference, over calibration inputs.
/// </summary>
public static class Distillation
{
    /// <summary>Default number of optimiser steps (measured in docs/compression-results.md).</summary>
    public const int UsualSteps = 250;

    /// <summary>
    /// Default settings for the data: Adam, one cycle with its peak at 0.002, less in proportion for sequences of more than 28 steps, because a
    /// change of the recurrent weights acts at every step.
    /// </summary>
    public static TrainingSettings Settings(ISequenceData inputs, int batchSize = 64, ulong seed = 1) => new()
    {
        BatchSize = batchSize,
        LearningRate = 2e-3 * Math.Min(1, 28.0 / inputs.Layout.Steps),
        Schedule = new Schedule { Kind = ScheduleKind.OneCycle },
        Seed = seed,
    };

    /// <summary>Refines the small network in place.</summary>
    /// <param name="big">The teacher.</param>
    /// <param name="small">The student, changed in place; on the same backend.</param>
    /// <param name="inputs">Calibration inputs; labels are not used.</param>
    /// <param name="steps">Optimiser steps.</param>
    /// <param name="settings">Batch size, rate, schedule and seed; null for <see cref="Settings"/>.</param>
    /// <param name="cancellation">Stops with an <see cref="OperationCanceledException"/>; the small network then holds a step's weights.</param>
    /// <returns>The mean loss over all steps.</returns>
    /// <exception cref="DivergedException">A loss is NaN or infinite.</exception>
    public static double Refine(
        Network big,
        Network small,
        ISequenceData inputs,
        int steps,
        TrainingSettings? settings = null,
        CancellationToken cancellation = default)
    {
        if (steps < 1) throw new InvalidCallException($"`steps` {steps}: choose 1 step or more.");
        settings ??= Settings(inputs);
        using Optimizer optimizer = new(settings, small.Parameters);
        using DeviceBatches feed = new(inputs, small.Backend, settings.BatchSize);
        using LossTotals totals = small.Backend.Loss.CreateTotals();
        TrainingStep training = new(small, feed, new DivergenceObjective(big), optimizer, totals);
        for (int step = 0, epoch = 0; step < steps; epoch++)
        {
            feed.RestartShuffled(settings.Seed, epoch);
            while (step < steps && feed.Next())
            {
                cancellation.ThrowIfCancellationRequested();
                training.Run(settings.Schedule.Rate(settings.LearningRate, step, feed.BatchCount, steps), step + 1);
                step++;
            }
        }

        LossSums sums = totals.Read();
        if (sums.FirstBadCall >= 0)
        {
            long bad = sums.FirstBadCall + 1;
            throw new DivergedException($"The refinement diverged at step {bad} of {steps}; lower its rate (now {settings.LearningRate}).", bad);
        }

        return sums.Loss / sums.Rows;
    }

    // How far the outputs are from the big network's.
    private sealed class DivergenceObjective(Network big) : Objective
    {
        public override void Apply(Network network, DeviceBatches feed, bool isTraining, LossTotals totals)
        {
            big.Forward(feed.Current);
            for (int i = 0; i < network.Graph.Outputs.Count; i++)
            {
                Tensor outputs = network.Output(i);
                OutputDivergence.Add(big, feed.Current, i, outputs, 1f / outputs.Shape.Rows, isTraining ? outputs : null, totals);
            }
        }
    }
}
