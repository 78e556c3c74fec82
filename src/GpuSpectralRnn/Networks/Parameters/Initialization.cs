using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// Initial weights, one stream of random numbers per parameter, so that one seed gives the same weights on every device. The rules are the modules'
/// (<see cref="ParameterSpec.Initializer"/>).
/// </summary>
public static class Initialization
{
    private const ulong ChronoStream = 1UL << 32;

    /// <summary>The block of initial parameters [P], zeros in the gaps.</summary>
    /// <param name="graph">What the network is.</param>
    /// <param name="seed">Of all of them.</param>
    /// <param name="range">Instead of the rules: everything uniform in +- this, as Zaremba, Sutskever, Vinyals 2014.</param>
    /// <exception cref="InvalidCallException">The range is not a number above zero.</exception>
    public static float[] Draw(Graph graph, ulong seed, double? range = null)
    {
        if (range is { } bound && !(bound > 0 && double.IsFinite(bound))) throw new InvalidCallException($"Initial weights of +-{bound}: choose a number above 0.");
        float[] block = new float[graph.Extent];
        for (int i = 0; i < graph.Parameters.Count; i++)
        {
            ParameterSpec spec = graph.Parameters[i];
            Initializer initializer = range is { } uniform ? Initializer.Uniform((float)uniform) : spec.Initializer;
            initializer.Fill(block.AsSpan((int)spec.Offset, (int)spec.Shape.Count), spec.Shape, seed, stream: (ulong)i);
        }

        return block;
    }

    /// <summary>
    /// Chrono initialisation (Tallec, Ollivier, "Can recurrent neural networks warp time?", 2018): gates that begin by keeping what a unit holds for 1 to
    /// T - 1 steps. The biases of an LSTM's forget gates and of a GRU's update gates become log u with u uniform in 1..T - 1, those of an LSTM's input gates
    /// their negatives; the second bias of these gates becomes zero.
    /// </summary>
    /// <param name="network">Whose biases are set; cells without gates keep theirs.</param>
    /// <param name="seed">Of u.</param>
    /// <param name="steps">T, the longest dependence that is expected, 2 or more.</param>
    /// <exception cref="InvalidCallException">T is below 2, or no cell has gates.</exception>
    public static void Chrono(Network network, ulong seed, int steps)
    {
        if (steps < 2) throw new InvalidCallException($"Gates that begin open for {steps} steps: choose 2 or more.");
        Recurrent[] gated = [.. network.Graph.Nodes.Select(node => node.Module).OfType<Recurrent>().Where(module => module.Cell.Spec().Gates > 1)];
        if (gated.Length == 0) throw new InvalidCallException("No cell of the network has gates that could begin open; choose LSTM or GRU.");
        for (int i = 0; i < gated.Length; i++)
        {
            CellSpec cell = gated[i].Cell.Spec();
            RecurrentWeights weights = network.Parameters.Recurrent(gated[i].Name);
            float[] bias = weights.InputBias.ToArray(), other = weights.HiddenBias.ToArray();
            int units = bias.Length / cell.Gates;
            for (int unit = 0; unit < units; unit++)
            {
                // The gate that keeps is the second of either cell: i, f, g, o and r, z, n.
                float open = MathF.Log(1 + ((steps - 2) * Philox.Uniform(seed, ChronoStream + (ulong)i, (ulong)unit)));
                (bias[units + unit], other[units + unit]) = (open, 0);
                if (cell.HasCellState) (bias[unit], other[unit]) = (-open, 0);
            }

            weights.InputBias.CopyFrom<float>(bias);
            weights.HiddenBias.CopyFrom<float>(other);
        }
    }
}
