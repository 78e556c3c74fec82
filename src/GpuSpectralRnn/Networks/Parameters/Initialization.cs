namespace GpuSpectralRnn.Networks;

/// <summary>
/// Initial weights, one stream of random numbers per parameter, so that one seed gives the same weights on every device. The rules are the modules'
/// (<see cref="ParameterSpec.Initializer"/>).
/// </summary>
public static class Initialization
{
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
}
