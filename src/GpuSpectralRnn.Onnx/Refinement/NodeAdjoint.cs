using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>
/// How much the graph's values behind a recurrent node hang on its units: G = mean of g_t g_t^T, g_t the gradient with respect to h_t of a random
/// direction of those values, by way of the tail and of the recurrence (docs/method.md, section 5.1).
/// </summary>
internal sealed class NodeAdjoint : IBackwardObserver
{
    private readonly Network network;
    private readonly Matrix[] sums;
    private readonly Matrix?[] direct;
    private int steps;

    private NodeAdjoint(Network network, int directions, int hidden)
    {
        this.network = network;
        sums = [.. Enumerable.Range(0, directions).Select(_ => new Matrix(hidden, hidden))];
        direct = new Matrix?[directions];
    }

    /// <summary>G [H, H] for each direction, but for a factor; null where nothing behind the node is known.</summary>
    /// <param name="cell">The node's.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="trace">Its trajectories and tails.</param>
    /// <param name="cancellation">Stops between spans of steps.</param>
    public static Matrix[]? Collect(RefinedCell cell, NodeWeights weights, NodeTrace trace, CancellationToken cancellation)
    {
        if (trace.Obstacle is not null || trace.Trajectories.Count == 0 || trace.Objectives.All(objective => objective.Tail.Modules.Count == 0)) return null;
        int[][] all = [.. Enumerable.Range(0, weights.Directions).Select(_ => Enumerable.Range(0, weights.Hidden).ToArray())];
        NodePlan whole = NodePlan.Create(weights, all, [.. all.Select(_ => Matrix.Identity(weights.Hidden))]);
        using IBackend backend = Devices.Open("host", Devices.ProcessorThreads);
        using Network network = cell.ToNetwork(whole, backend);
        NodeAdjoint adjoint = new(network, weights.Directions, weights.Hidden);
        float[] scales = [.. trace.Objectives.Select(objective => trace.Scale(objective.Tail))];
        Random random = new(1);
        foreach ((Trajectory[] batch, int from, int length) in trace.Spans(isWhole: weights.Directions == 2))
        {
            cancellation.ThrowIfCancellationRequested();
            float[] x = Trajectory.Rows(batch, from, length, weights.Inputs, lane => lane.Inputs);
            using Tensor input = backend.Allocate(new Shape(length, batch.Length, weights.Inputs));
            input.CopyFrom<float>(x);
            Tensor outputs = network.Forward(
                weights.Directions == 2 ? new SequenceBatch(input) { IsWhole = true } : new SequenceBatch(input, continues: from > 0), isTraining: true);
            outputs.CopyFrom<float>(trace.Gradient(
                batch, from, outputs.ToArray(), (i, tail, states, seen) =>
                    tail.Modules.Count == 0 ? new float[states.Length] : tail.Probe(states, seen.Length, scales[i], random)));
            adjoint.steps = length;
            network.Backward(outputs, adjoint);
            backend.Fill(network.Parameters.Gradients, 0);
        }

        return adjoint.sums;
    }

    /// <inheritdoc/>
    public void Gradient(Value value, Tensor gradient, int from)
    {
        if (network.Graph.Node(value.Name).Module is not Networks.Modules.Recurrent recurrent) return;
        int batch = gradient.Shape[1], hidden = gradient.Shape[2], empty = from * batch;
        Matrix g = Matrix.From(steps * batch, hidden, gradient.ToArray());
        for (int row = 0; row < empty; row++) g.Row(recurrent.IsReverse ? g.Rows - 1 - row : row).Clear();
        direct[recurrent.IsReverse ? 1 : 0] = g;
    }

    /// <inheritdoc/>
    public void Products(Value states, Tensor gradient)
    {
        if (network.Graph.Node(states.Name).Module is not Networks.Modules.Recurrent recurrent || direct[recurrent.IsReverse ? 1 : 0] is not { } g) return;
        int batch = gradient.Shape[1], width = gradient.Shape[2];
        Tensor weights = network.Parameters.Recurrent(recurrent.Name).HiddenWeights; // [G H, H]
        Matrix back = Matrix.From(steps * batch, width, gradient.ToArray()) * Matrix.From(width, g.Columns, weights.ToArray());

        // The product of the step walked next reads this step's state.
        int shift = recurrent.IsReverse ? -batch : batch;
        for (int row = 0; row < g.Rows; row++)
        {
            if (row + shift < 0 || row + shift >= g.Rows) continue;
            Span<double> own = g.Row(row);
            ReadOnlySpan<double> next = back.Row(row + shift);
            for (int j = 0; j < own.Length; j++) own[j] += next[j];
        }

        int d = recurrent.IsReverse ? 1 : 0;
        sums[d] += Matrix.Product(g, g, transposeA: true);
    }
}
