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
    private readonly IBackend backend;
    private readonly DisposableBag owned = new();
    private readonly List<(string State, int[] Kept, Tensor Weights)> layers = [];

    private StateHints(IBackend backend) => this.backend = backend;

    /// <summary>The states that the hints are about, with J: what a <see cref="Teacher"/> is to tell.</summary>
    public IReadOnlyList<(string State, int[] Kept)> Wanted => [.. layers.Select(layer => (layer.State, layer.Kept))];

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
        StateHints hints = new(big.Backend);
        foreach (Node node in States(big.Graph))
        {
            UnitAxis axis = node.Output.Units[0];
            int[] kept = plan.For(big.Graph, axis).Kept;
            double[] variance = Variance(calibration, axis);
            double least = 1e-6 * variance.Max(); // a unit that hardly moves says nothing
            float[] weights = [.. kept.Select(unit => variance[unit] > least ? (float)(1 / variance[unit]) : 0)];
            hints.layers.Add((node.Output.Name, kept, hints.owned.Keep(StatisticsCollector.Upload(big.Backend, weights))));
        }

        return hints;
    }

    /// <summary>Overwrites the student's state outputs by the gradients of the hints.</summary>
    /// <param name="student">After a forward pass over the batch that the teacher saw last.</param>
    /// <param name="teacher">Asked for <see cref="Wanted"/>.</param>
    /// <param name="weight">Factor on the hints.</param>
    public void Apply(Network student, Teacher teacher, float weight)
    {
        int outputs = student.Graph.Outputs.Count - layers.Count;
        for (int i = 0; i < layers.Count; i++)
        {
            Tensor gradient = student.Output(outputs + i);
            float scale = 2 * weight / gradient.Count;
            backend.Fill(gradient, 0);
            backend.Elementwise.AddScaled(scale, student.Values(layers[i].State), gradient);
            backend.Elementwise.AddScaled(-scale, teacher.State(i), gradient);
            backend.Matrix.ScaleColumns(new(gradient, 0, layers[i].Weights, gradient));
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
