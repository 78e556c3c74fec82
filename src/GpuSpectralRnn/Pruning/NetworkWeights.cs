using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>One recurrent layer's weights in double precision on the host; gate blocks stacked in the rows.</summary>
/// <param name="Input">W_ih [G*H, I].</param>
/// <param name="Hidden">W_hh [G*H, H]; of a factored matrix the product.</param>
/// <param name="InputBias">b_ih [G*H].</param>
/// <param name="HiddenBias">b_hh [G*H].</param>
/// <param name="Factors">The two factors of W_hh where it is kept so.</param>
/// <param name="Mask">Zeros on the weights of W_hh that were taken away for good, ones on the others; null for none.</param>
public sealed record LayerWeights(
    Matrix Input, Matrix Hidden, double[] InputBias, double[] HiddenBias, Factors? Factors = null, Matrix? Mask = null);

/// <summary>W_hh = Left Right.</summary>
/// <param name="Left">[G*H, r].</param>
/// <param name="Right">[r, H].</param>
public sealed record Factors(Matrix Left, Matrix Right);

/// <summary>The linear read-out's weights.</summary>
/// <param name="Weight">[O, H].</param>
/// <param name="Bias">[O].</param>
public sealed record ReadoutWeights(Matrix Weight, double[] Bias);

/// <summary>All weights of a network on the host: what plans are made from and carried out on.</summary>
/// <param name="Architecture">What the network is.</param>
/// <param name="Layers">From the input up.</param>
/// <param name="Readout">The read-out.</param>
public sealed record NetworkWeights(Architecture Architecture, IReadOnlyList<LayerWeights> Layers, ReadoutWeights Readout)
{
    /// <summary>Copies a network's weights.</summary>
    /// <exception cref="InvalidCallException">The network is bidirectional.</exception>
    public static NetworkWeights Read(Network network)
    {
        if (network.Architecture.IsBidirectional)
            throw new InvalidCallException("Spectral analysis and pruning are for networks of one direction; this one is bidirectional.");
        Architecture architecture = network.Architecture;
        Parameters parameters = network.Parameters;
        LayerWeights[] layers = new LayerWeights[architecture.Layers];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            Factors? factors =
                architecture.Rank(layer) == 0 ? null : new(Whole($"rnn.weight_hh_left_l{layer}"), Whole($"rnn.weight_hh_right_l{layer}"));
            layers[layer] = new LayerWeights(
                Whole($"rnn.weight_ih_l{layer}"),
                factors is null ? Whole($"rnn.weight_hh_l{layer}") : factors.Left * factors.Right,
                Bias($"rnn.bias_ih_l{layer}"),
                Bias($"rnn.bias_hh_l{layer}"),
                factors,
                Mask($"rnn.weight_hh_l{layer}"));
        }

        return new NetworkWeights(architecture, layers, new ReadoutWeights(Whole("readout.weight"), Bias("readout.bias")));

        Matrix Whole(string name) => Matrix.From(parameters[name].Shape.Rows, parameters[name].Shape.Columns, parameters.Read(name));
        Matrix? Mask(string name) =>
            parameters.MaskOf(name) is { } ones ? Matrix.From(parameters[name].Shape.Rows, parameters[name].Shape.Columns, ones) : null;
        double[] Bias(string name) => Array.ConvertAll(parameters.Read(name), x => (double)x);
    }

    /// <summary>A network of these weights; the caller owns it.</summary>
    public Network ToNetwork(IBackend backend)
    {
        Network network = new(Architecture, backend);
        Parameters parameters = network.Parameters;
        for (int layer = 0; layer < Layers.Count; layer++)
        {
            LayerWeights weights = Layers[layer];
            parameters.Write($"rnn.weight_ih_l{layer}", weights.Input.ToSingle());
            if (weights.Factors is { } factors)
            {
                parameters.Write($"rnn.weight_hh_left_l{layer}", factors.Left.ToSingle());
                parameters.Write($"rnn.weight_hh_right_l{layer}", factors.Right.ToSingle());
            }
            else
            {
                parameters.Write($"rnn.weight_hh_l{layer}", weights.Hidden.ToSingle());
                if (weights.Mask is { } mask) parameters.SetMask($"rnn.weight_hh_l{layer}", mask.ToSingle());
            }

            parameters.Write($"rnn.bias_ih_l{layer}", Single(weights.InputBias));
            parameters.Write($"rnn.bias_hh_l{layer}", Single(weights.HiddenBias));
        }

        parameters.Write("readout.weight", Readout.Weight.ToSingle());
        parameters.Write("readout.bias", Single(Readout.Bias));
        return network;
    }

    /// <summary>
    /// The rows that read layer <paramref name="layer"/>: the next layer's W_ih or the read-out, over the layer's own W_hh. [r, m].
    /// </summary>
    public Matrix Consumers(int layer)
    {
        Matrix above = layer + 1 < Layers.Count ? Layers[layer + 1].Input : Readout.Weight, own = Layers[layer].Hidden;
        Matrix all = new(above.Rows + own.Rows, own.Columns);
        above.Data.CopyTo(all.Data, 0);
        own.Data.CopyTo(all.Data, above.Data.Length);
        return all;
    }

    private static float[] Single(double[] values) => Array.ConvertAll(values, x => (float)x);
}
