using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>One recurrence's weights in double precision on the host; gate blocks stacked in the rows.</summary>
/// <param name="Input">W_ih [G*H, I].</param>
/// <param name="Hidden">W_hh [G*H, H]; of a factored matrix the product.</param>
/// <param name="InputBias">b_ih [G*H].</param>
/// <param name="HiddenBias">b_hh [G*H].</param>
public sealed record LayerWeights(Matrix Input, Matrix Hidden, double[] InputBias, double[] HiddenBias);

/// <summary>W_hh = Left Right.</summary>
/// <param name="Left">[G*H, r].</param>
/// <param name="Right">[r, H].</param>
public sealed record Factors(Matrix Left, Matrix Right);

/// <summary>A linear module's weights.</summary>
/// <param name="Weight">[O, I].</param>
/// <param name="Bias">[O].</param>
public sealed record ReadoutWeights(Matrix Weight, double[] Bias);

/// <summary>All weights of a network in double precision on the host: what plans are made from and carried out on.</summary>
/// <param name="Recipe">What the network is.</param>
/// <param name="Values">The parameters by name, a vector as a column; of a factored matrix the product too.</param>
public sealed record NetworkWeights(Recipe Recipe, IReadOnlyDictionary<string, Matrix> Values)
{
    /// <summary>The modules.</summary>
    public Graph Graph { get; } = Recipe.Build();

    /// <summary>Zeros on the weights that were taken away for good, ones on the others, by the parameters' names; empty for none.</summary>
    public IReadOnlyDictionary<string, Matrix> Masks { get; init; } = new Dictionary<string, Matrix>();

    /// <summary>A parameter [rows, columns], a vector as a column.</summary>
    public Matrix this[string name] => Values[name];

    /// <summary>The weights of every recurrence, in the order of a forward pass.</summary>
    public IReadOnlyList<LayerWeights> Recurrences => [.. Graph.Nodes.Select(node => node.Module).OfType<Recurrent>().Select(Recurrence)];

    /// <summary>The weights of the linear module that gives the output.</summary>
    /// <exception cref="InvalidCallException">No linear module gives the only output.</exception>
    public ReadoutWeights Readout
    {
        get
        {
            Linear module = Graph.OutputNode.Module as Linear ?? throw new InvalidCallException("No linear module gives the network's output.");
            return new ReadoutWeights(this[module.WeightName], this[module.BiasName].Data);
        }
    }

    /// <summary>Copies a network's weights.</summary>
    public static NetworkWeights Read(Network network) => Read(network, network.Parameters.Values.ToArray());

    /// <summary>The weights of a network, from a copy of its parameters' block.</summary>
    internal static NetworkWeights Read(Network network, float[] block)
    {
        Dictionary<string, Matrix> values = [], masks = [];
        foreach (ParameterSpec spec in network.Parameters.Slots)
        {
            (int rows, int columns) = Extents(spec);
            values.Add(spec.Name, Matrix.From(rows, columns, block.AsSpan((int)spec.Offset, (int)spec.Shape.Count)));
            if (network.Parameters.MaskOf(spec.Name) is { } ones) masks.Add(spec.Name, Matrix.From(rows, columns, ones));
        }

        foreach (Recurrent module in network.Graph.Nodes.Select(node => node.Module).OfType<Recurrent>().Where(module => module.Rank > 0))
            values[module.HiddenWeight] = values[module.LeftFactor] * values[module.RightFactor];
        return new NetworkWeights(network.Recipe, values) { Masks = masks };
    }

    /// <summary>A network of these weights; the caller owns it.</summary>
    public Network ToNetwork(IBackend backend)
    {
        Network network = new(Recipe, backend);
        foreach (ParameterSpec spec in network.Parameters.Slots) network.Parameters.Write(spec.Name, Values[spec.Name].ToSingle());
        foreach ((string name, Matrix mask) in Masks) network.Parameters.SetMask(name, mask.ToSingle());
        return network;
    }

    /// <summary>
    /// The rows that read the units of an axis, one module's under the other's: its columns of every matrix that reads it; those of the recurrence that
    /// makes the units last. [r, m].
    /// </summary>
    /// <param name="axis">Its place in <see cref="Graph.PrunableAxes"/>.</param>
    public Matrix Consumers(int axis)
    {
        UnitAxis units = Graph.PrunableAxes[axis].Axis;
        Matrix[] blocks =
        [
            .. from node in Graph.Nodes
               orderby node.Module is Recurrent recurrent && recurrent.Axis == units.Name ? 1 : 0, node.Index
               from use in node.Uses.OfType<ReadsLinearly>()
               where use.Axis.Name == units.Name
               select this[use.Parameter].SelectColumns([.. Enumerable.Range(use.FirstColumn, units.Size)]),
        ];
        return Matrix.From(blocks.Sum(block => block.Rows), units.Size, blocks.SelectMany(block => block.Data).ToArray().AsSpan());
    }

    /// <summary>W_hh of the recurrence that makes the units of an axis.</summary>
    internal Matrix HiddenWeight(PrunableAxis axis) => this[Graph.Recurrence(axis.Axis)!.HiddenWeight];

    /// <summary>The weights of a recurrent module.</summary>
    internal LayerWeights Recurrence(Recurrent module) =>
        new(this[module.InputWeight], this[module.HiddenWeight], this[module.InputBias].Data, this[module.HiddenBias].Data);

    private static (int Rows, int Columns) Extents(ParameterSpec spec) =>
        spec.Shape.Rank == 1 ? ((int)spec.Shape.Count, 1) : (spec.Shape.Rows, spec.Shape.Columns);
}
