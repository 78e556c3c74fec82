using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Initial weights. They are drawn on the host from Philox, one stream per parameter, so that one seed gives the same weights on every device.
/// <list type="bullet">
/// <item>irnn: W_hh = I, biases 0 (Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of rectified linear units", 2015). W_ih of the
/// first layer is normal with standard deviation 0.01: the paper's 0.001 learned more slowly here, on rows and on single pixels of MNIST. Of the
/// layers above, whose inputs are small hidden states, it is the identity too where the sizes agree and uniform as for the other cells where they do
/// not.</item>
/// <item>all other cells: everything uniform in +-1/sqrt(H), as PyTorch; the forget gate has no bias of its own.</item>
/// <item>Read-out: uniform in +-1/sqrt(its inputs), as PyTorch.</item>
/// <item>Embedding: normal with standard deviation 1, as PyTorch; tokens that are told apart from the start are learned much sooner
/// (docs/language-models.md). Tied to the read-out, for which that is far too large: uniform in +-0.1.</item>
/// </list>
/// </summary>
public static class Initialization
{
    /// <summary>The standard deviation of an IRNN's input weights.</summary>
    public const float IrnnInputDeviation = 0.01f;

    /// <summary>The bound of an embedding's weights that are the read-out's too.</summary>
    public const float TiedBound = 0.1f;

    /// <summary>The block of initial parameters [P] (laid out by <see cref="ParameterSpec"/>, zeros in the gaps).</summary>
    /// <param name="architecture">What the network is.</param>
    /// <param name="seed">Of all of them.</param>
    /// <param name="range">Instead of the rules above: everything uniform in +- this, as Zaremba, Sutskever, Vinyals 2014.</param>
    /// <exception cref="InvalidCallException">The range is not a number above zero.</exception>
    public static float[] Draw(Architecture architecture, ulong seed, double? range = null)
    {
        if (range is { } bound && !(bound > 0 && double.IsFinite(bound))) throw new InvalidCallException($"Initial weights of +-{bound}: choose a number above 0.");
        architecture.Validate();
        IReadOnlyList<ParameterSpec> slots = ParameterSpec.From(architecture);
        float[] block = new float[ParameterSpec.Extent(architecture)];
        for (int i = 0; i < slots.Count; i++)
        {
            ParameterSpec slot = slots[i];
            Span<float> values = block.AsSpan((int)slot.Offset, (int)slot.Shape.Count);
            if (range is { } uniform) Uniform(values, seed, (ulong)i, (float)uniform);
            else Fill(values, slot, architecture, seed, stream: (ulong)i);
        }

        return block;
    }

    private static void Fill(Span<float> values, ParameterSpec slot, Architecture architecture, ulong seed, ulong stream)
    {
        if (slot.Name == ParameterSpec.Embedding)
        {
            if (architecture.TiesWeights) Uniform(values, seed, stream, TiedBound);
            else Normal(values, seed, stream, 1f);
            return;
        }

        bool isReadout = slot.Name.StartsWith("readout.", StringComparison.Ordinal);
        string name = slot.Name.Replace(ParameterSpec.Reverse, "");
        int layer = isReadout ? architecture.Layers - 1 : int.Parse(name.AsSpan(name.LastIndexOf('l') + 1));
        float bound = 1f / MathF.Sqrt(isReadout ? architecture.LayerOutputs(layer) : architecture.Hidden[layer]);
        if (isReadout || architecture.Cell != Cell.Irnn)
        {
            Uniform(values, seed, stream, bound);
        }
        else if (slot.Name.StartsWith("rnn.weight_hh", StringComparison.Ordinal))
        {
            Identity(values, slot.Shape);
        }
        else if (slot.Name.StartsWith("rnn.weight_ih", StringComparison.Ordinal))
        {
            if (layer == 0) Normal(values, seed, stream, IrnnInputDeviation);
            else if (slot.Shape.Rows == slot.Shape.Columns) Identity(values, slot.Shape);
            else Uniform(values, seed, stream, bound);
        }
    }

    private static void Identity(Span<float> values, Shape shape)
    {
        for (int i = 0; i < Math.Min(shape.Rows, shape.Columns); i++) values[(i * shape.Columns) + i] = 1f;
    }

    private static void Uniform(Span<float> values, ulong seed, ulong stream, float bound)
    {
        for (int i = 0; i < values.Length; i++) values[i] = bound * ((2f * Philox.Uniform(seed, stream, (ulong)i)) - 1f);
    }

    // Box-Muller, a pair of uniform numbers for each normal one; 1 - u keeps the logarithm's argument above zero.
    private static void Normal(Span<float> values, ulong seed, ulong stream, float deviation)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double radius = Math.Sqrt(-2.0 * Math.Log(1.0 - Philox.Uniform(seed, stream, 2 * (ulong)i)));
            double angle = 2.0 * Math.PI * Philox.Uniform(seed, stream, (2 * (ulong)i) + 1);
            values[i] = (float)(deviation * radius * Math.Cos(angle));
        }
    }
}
