using System.Runtime.InteropServices;
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
    /// <summary>Trajectories per batch, and time steps per update of the weights (truncated backpropagation).</summary>
    private const int Lanes = 64, LongestSpan = 64;

    /// <summary>The time steps that gradients go back through, at most.</summary>
    public static int Span(NodeTrace trace, bool isBidirectional)
    {
        int longest = trace.Trajectories.Max(lane => lane.Steps);
        return isBidirectional ? longest : Math.Min(longest, LongestSpan);
    }

    /// <summary>Multiply-adds of an optimiser step on a node, about: three passes over its weights at every step of every lane.</summary>
    public static double WorkOfStep(NodePlan plan, NodeTrace trace) =>
        3.0 * Math.Min(Lanes, trace.Trajectories.Count) * Span(trace, plan.Directions == 2)
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
        Trajectory[][] batches = [.. trace.Trajectories.OrderByDescending(lane => lane.Steps).Chunk(Lanes)];
        float[] scales = [.. trace.Objectives.Select(objective => Scale(objective.Tail))];
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
                int length = lanes.Min(lane => lane.Steps), span = plan.Directions == 2 ? length : LongestSpan;
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
            input.CopyFrom<float>(Rows(part.Lanes, part.From, part.Length, plan.Small.Inputs, lane => lane.Inputs));
            return plan.Directions == 2 ? new SequenceBatch(input) { IsWhole = true } : new SequenceBatch(input, continues: part.From > 0);
        }
    }

    // Overwrites the outputs, all units' states, by the gradients of all tails' losses.
    private void Loss(Network network, NodePlan plan, (Trajectory[] Lanes, int From, int Length) part, float[] scales)
    {
        (Trajectory[] batch, int from, int length) = part;
        int width = plan.Directions * plan.Hidden, rows = length * batch.Length;
        Tensor outputs = network.Output(0);
        float[] wanted = Rows(batch, from, length, width, lane => lane.States), states = outputs.ToArray(), gradient = new float[rows * width];
        for (int i = 0; i < scales.Length; i++)
        {
            (OutputTail tail, bool isLastOnly) = trace.Objectives[i];
            int[] seen = [.. Enumerable.Range(0, rows).Where(row => !isLastOnly || batch[row % batch.Length].IsLast[from + row / batch.Length])];
            if (seen.Length == 0) continue;
            float[] own = tail.Gradient(Take(states, seen, width), tail.Apply(Take(wanted, seen, width), seen.Length), seen.Length, scales[i]);
            for (int row = 0; row < seen.Length; row++)
            {
                Span<float> target = gradient.AsSpan(seen[row] * width, width);
                System.Numerics.Tensors.TensorPrimitives.Add(target, own.AsSpan(row * width, width), target);
            }
        }

        outputs.CopyFrom<float>(gradient);
    }

    // The variance of the target values at the end of a tail, over all numbers of a row.
    private float Scale(OutputTail tail)
    {
        double sum = 0;
        double[] mean = [];
        long rows = 0;
        foreach (Trajectory lane in trace.Trajectories)
        {
            float[] values = tail.Apply([.. lane.States], lane.Steps);
            if (mean.Length == 0) mean = new double[values.Length / lane.Steps];
            for (int i = 0; i < values.Length; i++)
            {
                sum += (double)values[i] * values[i];
                mean[i % mean.Length] += values[i];
            }

            rows += lane.Steps;
        }

        double variance = sum / rows - mean.Sum(total => total / rows * (total / rows));
        return variance > 0 ? (float)variance : 1;
    }

    // [T, B, numbers].
    private static float[] Rows(Trajectory[] batch, int from, int length, int numbers, Func<Trajectory, List<float>> values)
    {
        float[] result = new float[length * batch.Length * numbers];
        for (int t = 0; t < length; t++)
        {
            for (int lane = 0; lane < batch.Length; lane++)
            {
                CollectionsMarshal.AsSpan(values(batch[lane])).Slice((from + t) * numbers, numbers)
                    .CopyTo(result.AsSpan((t * batch.Length + lane) * numbers));
            }
        }

        return result;
    }

    private static float[] Take(float[] rows, int[] seen, int width)
    {
        if (seen.Length * width == rows.Length) return rows;
        float[] result = new float[seen.Length * width];
        for (int i = 0; i < seen.Length; i++) rows.AsSpan(seen[i] * width, width).CopyTo(result.AsSpan(i * width));
        return result;
    }
}
