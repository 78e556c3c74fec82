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
    /// <summary>The time steps that gradients go back through, at most.</summary>
    public static int Span(NodeTrace trace, bool isBidirectional)
    {
        int longest = trace.Trajectories.Max(lane => lane.Steps);
        return isBidirectional ? longest : Math.Min(longest, NodeTrace.LongestSpan);
    }

    /// <summary>Multiply-adds of an optimiser step on a node, about: three passes over its weights at every step of every lane.</summary>
    public static double WorkOfStep(NodePlan plan, NodeTrace trace) =>
        3.0 * Math.Min(NodeTrace.Lanes, trace.Trajectories.Count) * Span(trace, plan.Directions == 2)
        * (plan.Small.Input.Values.Length + plan.Small.Recurrent.Values.Length);

    /// <summary>The plan after so many steps; null where the weights are not finite then.</summary>
    /// <param name="plan">The start.</param>
    /// <param name="backend">Backend of the refinement.</param>
    /// <param name="steps">Updates of the weights.</param>
    /// <param name="settings">Rate and schedule.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public NodePlan? Refine(NodePlan plan, IBackend backend, int steps, TrainingSettings settings, CancellationToken cancellation)
    {
        using Network network = cell.ToNetwork(plan, backend);
        using Optimizer optimizer = new(settings, network.Parameters);
        Trajectory[][] batches = trace.Batches;
        float[] scales = [.. trace.Objectives.Select(objective => trace.Scale(objective.Tail))];
        Random random = new(1);
        (Trajectory[] Lanes, int From, int Length) part = (batches[0], 0, 0);
        Tensor? input = null;
        TrainingStep training = new(network, Batch, () => Loss(network, plan, part, scales), optimizer)
        {
            GradientsReady = () => RefinedCell.Hold(network, plan),
        };
        int step = 0;
        while (step < steps)
        {
            random.Shuffle(batches);
            foreach (Trajectory[] lanes in batches)
            {
                int length = lanes.Min(lane => lane.Steps), span = plan.Directions == 2 ? length : NodeTrace.LongestSpan;
                for (int from = 0; from < length && step < steps; from += span, step++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    part = (lanes, from, Math.Min(span, length - from));
                    training.Run(settings.Schedule.Rate(settings.LearningRate, step, batches.Length, steps), step + 1);
                }
            }
        }

        input?.Dispose();
        return network.Parameters.FindNotFinite(network.Parameters.Values.ToArray()) is null ? cell.ToPlan(network, plan) : null;

        SequenceBatch Batch()
        {
            input?.Dispose();
            input = network.Backend.Allocate(new Shape(part.Length, part.Lanes.Length, plan.Small.Inputs));
            input.CopyFrom<float>(Trajectory.Rows(part.Lanes, part.From, part.Length, plan.Small.Inputs, lane => lane.Inputs));
            return plan.Directions == 2 ? new SequenceBatch(input) { IsWhole = true } : new SequenceBatch(input, continues: part.From > 0);
        }
    }

    // Overwrites the outputs, all units' states, by the gradients of all tails' losses.
    private void Loss(Network network, NodePlan plan, (Trajectory[] Lanes, int From, int Length) part, float[] scales)
    {
        (Trajectory[] batch, int from, int length) = part;
        int width = plan.Directions * plan.Hidden;
        Tensor outputs = network.Output(0);
        float[] wanted = Trajectory.Rows(batch, from, length, width, lane => lane.States);
        float[] gradient = trace.Gradient(batch, from, outputs.ToArray(), (i, tail, states, seen) =>
            tail.Gradient(states, tail.Apply(Trajectory.Take(wanted, seen, width), seen.Length), seen.Length, scales[i]));

        outputs.CopyFrom<float>(gradient);
    }
}
