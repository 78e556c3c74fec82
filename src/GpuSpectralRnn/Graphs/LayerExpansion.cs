using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>A layer of a network with what its graph comes to.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Expansion">Its expansion.</param>
public sealed record LayerExpansion(LayerGraph Layer, Expansion Expansion)
{
    /// <summary>Evaluates all layers of a network.</summary>
    /// <param name="network">The network; Gram matrices are its device's.</param>
    /// <param name="progress">Called before each layer with its name.</param>
    /// <param name="cancellation">Stops between layers.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<LayerExpansion> Compute(Network network, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        List<LayerExpansion> layers = [];
        foreach (LayerGraph layer in LayerGraph.Read(network))
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(layer.Name);
            layers.Add(new LayerExpansion(layer, Graphs.Expansion.Compute(network.Backend, layer.Graph)));
        }

        return layers;
    }

    /// <summary>delta_R over its bound of masks drawn at given densities; not a number where it cannot be judged.</summary>
    /// <param name="backend">For Gram matrices.</param>
    /// <param name="rows">Rows of the masks.</param>
    /// <param name="columns">Columns of the masks.</param>
    /// <param name="densities">The densities.</param>
    /// <param name="draw">Draws a mask of so many rows, columns and edges.</param>
    public static IReadOnlyList<(double Density, double Relative)> Reference(
        IBackend backend, int rows, int columns, IEnumerable<double> densities, Func<int, int, int, Matrix> draw) =>
    [
        .. from density in densities
           let graph = new BipartiteGraph(draw(rows, columns, EdgeCounts.Of(rows, columns, density)))
           select (density, Graphs.Expansion.Unweighted(backend, graph).Relative ?? double.NaN),
    ];
}
