using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Graphs;

public sealed class UnfoldedGraphTests : IDisposable
{
    private readonly HostBackend host = new(1);

    public void Dispose() => host.Dispose();

    [Fact]
    public void Inputs_reach_outputs_step_by_step()
    {
        // Input 0 -> unit 0 -> unit 1 -> unit 2 -> output 1; input 1 goes nowhere.
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [3], Readout.Last, inputs: 2, outputs: 2);
        network.Parameters.Write("rnn.weight_ih_l0", [1, 0, 0, 0, 0, 0]);
        network.Parameters.Write("rnn.weight_hh_l0", [0, 0, 0, 1, 0, 0, 0, 1, 0]);
        network.Parameters.Write("readout.weight", [0, 0, 0, 0, 0, 1]);
        Assert.Equal([0, 0, 0.25], UnfoldedGraph.Reachability(network, 10)!);
        Assert.Equal([0], UnfoldedGraph.Reachability(network, 2)!);
    }

    [Fact]
    public void All_pairs_of_a_dense_stack_are_joined_at_once()
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [4, 3], Readout.Mean, isBidirectional: true);
        Assert.Equal([1], UnfoldedGraph.Reachability(network, 5)!);
        using Network text = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [6]);
        Assert.Null(UnfoldedGraph.Reachability(text, 5));
    }

    [Fact]
    public void Layers_are_matrices_their_gates_and_the_union()
    {
        using Network network = TestNetworks.Make(host, Cell.Gru, [4], Readout.Last, inputs: 3, outputs: 2);
        float[] mask = new float[48];
        for (int gate = 0; gate < 3; gate++) mask[(gate * 16) + (5 * gate)] = 1; // places (0, 0), (1, 1) and (2, 2)
        network.Parameters.SetMask("rnn.weight_hh_l0", mask);
        IReadOnlyList<LayerGraph> layers = LayerGraph.Read(network);
        Assert.Equal(
            ["rnn.weight_ih_l0", "rnn.weight_ih_l0[0]", "rnn.weight_ih_l0[1]", "rnn.weight_ih_l0[2]", "rnn.weight_hh_l0", "rnn.weight_hh_l0[0]",
                "rnn.weight_hh_l0[1]",
                "rnn.weight_hh_l0[2]", "readout.weight"],
            layers.Select(layer => layer.Name));
        Assert.Equal([12, 12, 12, 12, 3, 1, 1, 1, 8], layers.Select(layer => layer.Graph.Edges));
        Assert.Equal((4, 4), (layers[4].Graph.Left, layers[4].Graph.Right));
    }
}
