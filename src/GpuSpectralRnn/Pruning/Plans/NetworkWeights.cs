using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>One recurrence's weights in double precision on the host; gate blocks stacked in the rows.</summary>
/// <param name="Input">W_ih [G*H, I].</param>
/// <param name="Hidden">W_hh [G*H, H]; of a factored matrix the product.</param>
/// <param name="InputBias">b_ih [G*H].</param>
/// <param name="HiddenBias">b_hh [G*H].</param>
/// <param name="Factors">The two factors of W_hh where it is kept so.</param>
/// <param name="Mask">Zeros on the weights of W_hh that were taken away for good, ones on the others; null for none.</param>
public sealed record LayerWeights(
    Matrix Input, Matrix Hidden, double[] InputBias, double[] HiddenBias, Factors? Factors = null, Matrix? Mask = null)
{
    /// <summary>weight_peephole [3H]; null where the cell has none.</summary>
    public double[]? Peepholes { get; init; }
}

/// <summary>W_hh = Left Right.</summary>
/// <param name="Left">[G*H, r].</param>
/// <param name="Right">[r, H].</param>
public sealed record Factors(Matrix Left, Matrix Right);

/// <summary>The linear read-out's weights.</summary>
/// <param name="Weight">[O, D*H].</param>
/// <param name="Bias">[O].</param>
public sealed record ReadoutWeights(Matrix Weight, double[] Bias);

/// <summary>All weights of a network on the host: what plans are made from and carried out on.</summary>
/// <param name="Architecture">What the network is.</param>
/// <param name="Recurrences">One for each layer and direction (<see cref="Architecture.Recurrences"/>).</param>
/// <param name="Readout">The read-out.</param>
public sealed record NetworkWeights(Architecture Architecture, IReadOnlyList<LayerWeights> Recurrences, ReadoutWeights Readout)
{
    /// <summary>embedding.weight [V, E]; null without one.</summary>
    public Matrix? Embedding { get; init; }

    /// <summary>Copies a network's weights.</summary>
    public static NetworkWeights Read(Network network) => Read(network, network.Parameters.Values.ToArray());

    /// <summary>The weights of a network, from a copy of its parameters' block.</summary>
    internal static NetworkWeights Read(Network network, float[] block)
    {
        Architecture architecture = network.Architecture;
        Parameters parameters = network.Parameters;
        LayerWeights[] recurrences = new LayerWeights[architecture.Recurrences];
        for (int r = 0; r < recurrences.Length; r++)
        {
            string end = architecture.RecurrenceName(r);
            bool isFactored = architecture.Rank(r / architecture.Directions) > 0;
            Factors? factors = isFactored ? new(Whole($"rnn.weight_hh_left_{end}"), Whole($"rnn.weight_hh_right_{end}")) : null;
            recurrences[r] = new LayerWeights(
                Whole($"rnn.weight_ih_{end}"),
                factors is null ? Whole($"rnn.weight_hh_{end}") : factors.Left * factors.Right,
                Bias($"rnn.bias_ih_{end}"),
                Bias($"rnn.bias_hh_{end}"),
                factors,
                Mask($"rnn.weight_hh_{end}"))
            {
                Peepholes = architecture.Cell.Spec().HasPeepholes ? Bias(ParameterSpec.Peephole + end) : null,
            };
        }

        return new NetworkWeights(architecture, recurrences, new ReadoutWeights(Whole(ParameterSpec.Readout), Bias("readout.bias")))
        {
            Embedding = architecture.HasEmbedding ? Whole(ParameterSpec.Embedding) : null,
        };

        ReadOnlySpan<float> Values(string name) => block.AsSpan((int)parameters[name].Offset, (int)parameters[name].Count);
        Matrix Whole(string name) => Matrix.From(parameters[name].Shape.Rows, parameters[name].Shape.Columns, Values(name));
        Matrix? Mask(string name) =>
            parameters.MaskOf(name) is { } ones ? Matrix.From(parameters[name].Shape.Rows, parameters[name].Shape.Columns, ones) : null;
        double[] Bias(string name) => Array.ConvertAll(Values(name).ToArray(), x => (double)x);
    }

    /// <summary>A network of these weights; the caller owns it.</summary>
    public Network ToNetwork(IBackend backend)
    {
        Network network = new(Architecture, backend);
        Parameters parameters = network.Parameters;
        for (int r = 0; r < Recurrences.Count; r++)
        {
            (LayerWeights weights, string end) = (Recurrences[r], Architecture.RecurrenceName(r));
            parameters.Write($"rnn.weight_ih_{end}", weights.Input.ToSingle());
            if (weights.Factors is { } factors)
            {
                parameters.Write($"rnn.weight_hh_left_{end}", factors.Left.ToSingle());
                parameters.Write($"rnn.weight_hh_right_{end}", factors.Right.ToSingle());
            }
            else
            {
                parameters.Write($"rnn.weight_hh_{end}", weights.Hidden.ToSingle());
                if (weights.Mask is { } mask) parameters.SetMask($"rnn.weight_hh_{end}", mask.ToSingle());
            }

            parameters.Write($"rnn.bias_ih_{end}", Single(weights.InputBias));
            parameters.Write($"rnn.bias_hh_{end}", Single(weights.HiddenBias));
            if (weights.Peepholes is not null) parameters.Write(ParameterSpec.Peephole + end, Single(weights.Peepholes));
        }

        if (Embedding is not null) parameters.Write(ParameterSpec.Embedding, Embedding.ToSingle());
        if (!Architecture.TiesWeights) parameters.Write(ParameterSpec.Readout, Readout.Weight.ToSingle());
        parameters.Write("readout.bias", Single(Readout.Bias));
        return network;
    }

    /// <summary>
    /// The rows that read recurrence <paramref name="recurrence"/>: its columns of the next layer's W_ih (of both directions) or of the read-out,
    /// over its own W_hh. [r, m]. The number after the last recurrence stands for the embedding, which the first layer's W_ih reads.
    /// </summary>
    public Matrix Consumers(int recurrence)
    {
        if (recurrence == Architecture.Recurrences) return Stack([.. Recurrences.Take(Architecture.Directions).Select(first => first.Input)]);
        (int layer, int direction) = (recurrence / Architecture.Directions, recurrence % Architecture.Directions);
        Matrix own = Recurrences[recurrence].Hidden;
        int[] block = [.. Enumerable.Range(direction * own.Columns, own.Columns)];
        IEnumerable<Matrix> above = layer + 1 < Architecture.Layers
            ? Enumerable.Range(0, Architecture.Directions).Select(d => Recurrences[(layer + 1) * Architecture.Directions + d].Input)
            : [Readout.Weight];
        return Stack([.. above.Select(matrix => matrix.SelectColumns(block)), own]);
    }

    private static Matrix Stack(Matrix[] blocks) =>
        Matrix.From(blocks.Sum(block => block.Rows), blocks[0].Columns, blocks.SelectMany(block => block.Data).ToArray().AsSpan());

    private static float[] Single(double[] values) => Array.ConvertAll(values, x => (float)x);
}
