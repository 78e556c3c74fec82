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
    private const int Lanes = 64, Span = 64;

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
        Trajectory[][] batches = [.. trace.Trajectories.OrderByDescending(lane => lane.Steps).Chunk(Lanes)];
        float[] scales = [.. trace.Objectives.Select(objective => Scale(objective.Tail))];
        Random random = new(1);
        int step = 0;
        while (step < steps)
        {
            random.Shuffle(batches);
            foreach (Trajectory[] batch in batches)
            {
                int length = batch.Min(lane => lane.Steps), span = plan.Directions == 2 ? length : Span;
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
        int width = plan.Directions * plan.Hidden, rows = length * batch.Length;
        float[] x = Rows(batch, from, length, plan.Small.Inputs, lane => lane.Inputs), wanted = Rows(batch, from, length, width, lane => lane.States);
        using Tensor input = network.Backend.Allocate(new Shape(length, batch.Length, plan.Small.Inputs));
        input.CopyFrom<float>(x);
        Tensor outputs = network.Forward(
            plan.Directions == 2 ? new SequenceBatch(input) { IsWhole = true } : new SequenceBatch(input, continues: from > 0), isTraining: true);
        float[] states = outputs.ToArray(), gradient = new float[rows * width];
        for (int i = 0; i < scales.Length; i++)
        {
            (OutputTail tail, bool isLastOnly) = trace.Objectives[i];
            int[] seen = [.. Enumerable.Range(0, rows).Where(row => !isLastOnly || batch[row % batch.Length].IsLast[from + row / batch.Length])];
            if (seen.Length == 0) continue;
            float[] part = tail.Gradient(Take(states, seen, width), tail.Apply(Take(wanted, seen, width), seen.Length), seen.Length, scales[i]);
            for (int row = 0; row < seen.Length; row++)
            {
                Span<float> target = gradient.AsSpan(seen[row] * width, width);
                System.Numerics.Tensors.TensorPrimitives.Add(target, part.AsSpan(row * width, width), target);
            }
        }

        outputs.CopyFrom<float>(gradient);
        network.Backend.Fill(network.Parameters.Gradients, 0);
        network.Backward(outputs);
        RefinedCell.Hold(network, plan);
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
