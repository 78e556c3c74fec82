using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>Inputs and states of a recurrent node over one run from a zero state.</summary>
internal sealed class Trajectory
{
    /// <summary>x [steps, I].</summary>
    public List<float> Inputs { get; } = [];

    /// <summary>h [steps, D H], forward first.</summary>
    public List<float> States { get; } = [];

    /// <summary>Whether a step was the last of its call.</summary>
    public List<bool> IsLast { get; } = [];

    /// <summary>Number of steps.</summary>
    public int Steps => IsLast.Count;

    /// <summary>Numbers of some steps of a batch, [T, B, numbers].</summary>
    public static float[] Rows(Trajectory[] batch, int from, int length, int numbers, Func<Trajectory, List<float>> values)
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

    /// <summary>Some of the rows.</summary>
    public static float[] Take(float[] rows, int[] seen, int width)
    {
        if (seen.Length * width == rows.Length) return rows;
        float[] result = new float[seen.Length * width];
        for (int i = 0; i < seen.Length; i++) rows.AsSpan(seen[i] * width, width).CopyTo(result.AsSpan(i * width));
        return result;
    }
}

/// <summary>Data for the refinement of a recurrent node.</summary>
/// <param name="Trajectories">Trajectories of the calibration.</param>
/// <param name="Objectives">The tails whose values are compared, at every step or at the last step of a call alone.</param>
/// <param name="Obstacle">Why the node cannot be refined; null where it can.</param>
internal sealed record NodeTrace(
    IReadOnlyList<Trajectory> Trajectories, IReadOnlyList<(OutputTail Tail, bool IsLastOnly)> Objectives, string? Obstacle = null)
{
    /// <summary>Time steps that a gradient goes back, and of one update of the weights (truncated backpropagation).</summary>
    public const int LongestSpan = 64;

    /// <summary>Trajectories per batch.</summary>
    public const int Lanes = 64;

    /// <summary>Trajectories side by side, those of like lengths together.</summary>
    public Trajectory[][] Batches => [.. Trajectories.OrderByDescending(lane => lane.Steps).Chunk(Lanes)];

    /// <summary>Where a batch is cut in time: the first step and the number of steps, in order.</summary>
    /// <param name="batch">The batch; it ends with its shortest trajectory.</param>
    /// <param name="isWhole">Whether it is not cut, as for two directions.</param>
    public static IEnumerable<(int From, int Length)> Spans(Trajectory[] batch, bool isWhole)
    {
        int length = batch.Min(lane => lane.Steps), span = isWhole ? length : LongestSpan;
        for (int from = 0; from < length; from += span) yield return (from, Math.Min(span, length - from));
    }

    /// <summary>The spans of all batches.</summary>
    public IEnumerable<(Trajectory[] Batch, int From, int Length)> Spans(bool isWhole) =>
        from batch in Batches from span in Spans(batch, isWhole) select (batch, span.From, span.Length);

    /// <summary>The sum of gradients over the objectives, with respect to the states.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="from">Its first step.</param>
    /// <param name="states">[T, B, D H].</param>
    /// <param name="gradientOf">
    /// The gradient of an objective [rows, D H] of its index, its tail, the states of its rows, and which rows those are.
    /// </param>
    /// <returns>[T, B, D H].</returns>
    public float[] Gradient(Trajectory[] batch, int from, float[] states, Func<int, OutputTail, float[], int[], float[]> gradientOf)
    {
        int width = batch[0].States.Count / batch[0].Steps, rows = states.Length / width;
        float[] gradient = new float[states.Length];
        for (int i = 0; i < Objectives.Count; i++)
        {
            (OutputTail tail, bool isLastOnly) = Objectives[i];
            int[] seen = [.. Enumerable.Range(0, rows).Where(row => !isLastOnly || batch[row % batch.Length].IsLast[from + row / batch.Length])];
            if (seen.Length == 0) continue;
            float[] part = gradientOf(i, tail, Trajectory.Take(states, seen, width), seen);
            for (int row = 0; row < seen.Length; row++)
            {
                Span<float> target = gradient.AsSpan(seen[row] * width, width);
                TensorPrimitives.Add(target, part.AsSpan(row * width, width), target);
            }
        }

        return gradient;
    }

    /// <summary>The variance of the target values at the end of a tail, over all numbers of a row; 1 where it is zero.</summary>
    public float Scale(OutputTail tail)
    {
        double sum = 0;
        double[] mean = [];
        long rows = 0;
        foreach (Trajectory lane in Trajectories)
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
}
