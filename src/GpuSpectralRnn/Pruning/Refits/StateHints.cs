using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Hints for a small network whose units stand for kept ones of a big network (Romero and others, "FitNets", 2015): for each recurrence the mean over
/// steps, sequences and units of (h_small - h_big,J)^2 / var_J. The student shows its states as outputs behind its own.
/// </summary>
internal sealed class StateHints : IDisposable
{
    private readonly Network big;
    private readonly DisposableBag owned = new();
    private readonly List<(string State, Tensor Own, Tensor Wanted)> layers = [];

    private StateHints(Network big) => this.big = big;

    /// <summary>The recipe of the same graph that also gives the states of its recurrences.</summary>
    public static GraphRecipe Show(Graph graph, TaskKind task) => new()
    {
        Fields = graph.Fields,
        Axes = graph.Axes.ToDictionary(axis => axis.Name, axis => axis.Size),
        Modules = [.. graph.Nodes.Select(node => node.Module)],
        Outputs = [.. graph.Outputs.Select(output => output.Name), .. States(graph).Select(node => node.Output.Name)],
        Task = task,
    };

    /// <summary>The hints of a plan.</summary>
    /// <param name="calibration">The big network, and the variances of its units.</param>
    /// <param name="plan">Which units the small network's stand for.</param>
    public static StateHints Create(Calibration calibration, PruningPlan plan)
    {
        Network big = calibration.Network;
        StateHints hints = new(big);
        foreach (Node node in States(big.Graph))
        {
            UnitAxis axis = node.Output.Units[0];
            UnitPlan own = plan.For(big.Graph, axis);
            double[] variance = Variance(calibration, axis);
            Matrix weights = new(own.Kept.Length, own.Kept.Length), wanted = new(axis.Size, own.Kept.Length);
            for (int i = 0; i < own.Kept.Length; i++)
            {
                // A unit that hardly moves says nothing.
                double weight = variance[own.Kept[i]] > 1e-6 * variance.Max() ? 1 / variance[own.Kept[i]] : 0;
                weights[i, i] = weight;
                wanted[own.Kept[i], i] = weight;
            }

            hints.layers.Add((
                node.Output.Name,
                hints.owned.Keep(StatisticsCollector.Upload(big.Backend, weights.ToSingle(), weights.Rows, weights.Columns)),
                hints.owned.Keep(StatisticsCollector.Upload(big.Backend, wanted.ToSingle(), wanted.Rows, wanted.Columns))));
        }

        return hints;
    }

    /// <summary>Overwrites the student's state outputs by the gradients of the hints.</summary>
    /// <param name="student">After a forward pass over the batch that the big network saw last.</param>
    /// <param name="weight">Factor on the hints.</param>
    public void Apply(Network student, float weight)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            (string state, Tensor own, Tensor wanted) = layers[i];
            Tensor gradient = student.Output(big.Graph.Outputs.Count + i);
            float scale = 2 * weight / gradient.Count;
            big.Backend.Matrix.Gemm(new(false, false, scale, student.Values(state), own, 0, gradient));
            big.Backend.Matrix.Gemm(new(false, false, -scale, big.Values(state), wanted, 1, gradient));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    private static IEnumerable<Node> States(Graph graph) =>
        graph.Nodes.Where(node => node.Module is Recurrent && graph.Outputs.All(output => output.Name != node.Output.Name));

    private static double[] Variance(Calibration calibration, UnitAxis axis)
    {
        Graph graph = calibration.Network.Graph;
        for (int i = 0; i < graph.PrunableAxes.Count; i++)
        {
            if (graph.PrunableAxes[i].Name != axis.Name) continue;
            Matrix covariance = calibration.CentredGram(i);
            return [.. Enumerable.Range(0, axis.Size).Select(j => covariance[j, j])];
        }

        return [.. Enumerable.Repeat(1.0, axis.Size)]; // no statistics are taken of what cannot be pruned
    }
}
