using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>
/// Refines the weights of a cut node without labels, by Adam along the trajectories of the calibration, so that the graph's values behind it come
/// closer to the original's.
/// </summary>
/// <param name="cell">The node's.</param>
/// <param name="trace">Inputs, states and tails of the node.</param>
internal sealed class NodeRefinement(RefinedCell cell, NodeTrace trace)
{
    /// <summary>
    /// Learning rates to try, highest first, which often is best: with bounded states a smaller cell takes a higher rate; a ReLU cell, whose states
    /// may grow without bound, takes lower ones.
    /// </summary>
    public static double[] Rates(RefinedCell cell, int units)
    {
        double highest = cell.IsBounded ? 0.08 / Math.Sqrt(units) : 2e-3;
        return [highest, highest / 3];
    }

    /// <summary>The plan after so many steps.</summary>
    /// <param name="plan">The start.</param>
    /// <param name="backend">Backend of the refinement.</param>
    /// <param name="steps">Updates of the weights.</param>
    /// <param name="rate">Peak of the one-cycle schedule.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public NodePlan Refine(NodePlan plan, IBackend backend, int steps, double rate, CancellationToken cancellation)
    {
        TrainingSettings settings = new() { LearningRate = rate, Schedule = new Schedule { Kind = ScheduleKind.OneCycle } };
        using Network network = cell.ToNetwork(plan, backend);
        using Optimizer optimizer = new(settings, network.Parameters);
        Trajectory[][] batches = trace.Batches;
        float[] scales = [.. trace.Objectives.Select(objective => trace.Scale(objective.Tail))];
        Random random = new(1);
        int step = 0;
        while (step < steps)
        {
            random.Shuffle(batches);
            foreach (Trajectory[] batch in batches)
            {
                int length = batch.Min(lane => lane.Steps), span = plan.Directions == 2 ? length : NodeTrace.Span;
                for (int from = 0; from < length && step < steps; from += span, step++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Step(network, plan, batch, from, Math.Min(span, length - from), scales);
                    optimizer.Step(settings.Schedule.Rate(rate, step, batches.Length, steps), step + 1);
                }
            }
        }

        return cell.ToPlan(network, plan);
    }

    private void Step(Network network, NodePlan plan, Trajectory[] batch, int from, int length, float[] scales)
    {
        int width = plan.Directions * plan.Hidden;
        float[] x = Trajectory.Rows(batch, from, length, plan.Small.Inputs, lane => lane.Inputs);
        float[] wanted = Trajectory.Rows(batch, from, length, width, lane => lane.States);
        using Tensor input = network.Backend.Allocate(new Shape(length, batch.Length, plan.Small.Inputs));
        input.CopyFrom<float>(x);
        Tensor outputs = network.Forward(
            plan.Directions == 2 ? new SequenceBatch(input) { IsWhole = true } : new SequenceBatch(input, continues: from > 0), isTraining: true);
        float[] gradient = trace.Gradient(batch, from, outputs.ToArray(), (i, tail, states, seen) =>
            tail.Gradient(states, tail.Apply(Trajectory.Take(wanted, seen, width), seen.Length), seen.Length, scales[i]));

        outputs.CopyFrom<float>(gradient);
        network.Backend.Fill(network.Parameters.Gradients, 0);
        network.Backward(outputs);
        RefinedCell.Hold(network, plan);
    }
}
