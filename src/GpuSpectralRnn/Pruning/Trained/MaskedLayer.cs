using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>A layer that has a mask: one gate's rows of a matrix.</summary>
internal sealed class MaskedLayer
{
    private readonly Tensor values, mask; // views [rows, columns]

    private MaskedLayer(Network network, string parameter, int gate, int gates, BlockExtent block, Func<int, int, double> density)
    {
        Shape shape = network.Parameters[parameter].Shape;
        (Rows, Columns, Block) = (shape.Rows / gates, shape.Columns, block);
        Name = gates == 1 ? parameter : $"{parameter}[{gate}]";
        values = network.Parameters[parameter].View((long)gate * Rows * Columns, Rows, Columns);
        mask = network.Parameters.MaskView(parameter).View((long)gate * Rows * Columns, Rows, Columns);
        Density = density(Rows, Columns);
    }

    /// <summary>The parameter's name, with the gate's number where there are several.</summary>
    public string Name { get; }

    /// <summary>Outputs.</summary>
    public int Rows { get; }

    /// <summary>Inputs.</summary>
    public int Columns { get; }

    /// <summary>What is kept or dropped whole.</summary>
    public BlockExtent Block { get; }

    /// <summary>The share that is to be left in the end.</summary>
    public double Density { get; }

    /// <summary>Ones and zeros; what is written masks the weights with the next <see cref="Parameters.ApplyMask"/>.</summary>
    public Matrix Mask
    {
        get => Matrix.From(Rows, Columns, mask.ToArray());
        set => mask.CopyFrom<float>(value.ToSingle());
    }

    /// <summary>The weights as they are.</summary>
    public Matrix Weights => Matrix.From(Rows, Columns, values.ToArray());

    /// <summary>Finds the layers and puts masks of ones onto those that have none.</summary>
    /// <exception cref="InvalidCallException">There are none, or the units to keep do not fit.</exception>
    public static MaskedLayer[] Find(Network network, MaskSettings settings)
    {
        Budget.Check(network.Recipe, network.Graph, settings.Keep ?? network.Recipe.CountUnits(network.Graph));
        List<MaskedLayer> layers = [];
        foreach ((Node node, string parameter, int gates) in LayerGraph.Matrices(network.Graph))
        {
            bool isHidden = node.Module is Recurrent cell && cell.HiddenWeight == parameter;
            bool isMasked = isHidden || (settings.Keep is null
                && (settings.Weights == MaskedWeights.All || (settings.Weights == MaskedWeights.Recurrent && node.Module is Recurrent)));
            if (!isMasked) continue;
            if (network.Parameters.MaskOf(parameter) is null)
            {
                float[] ones = new float[network.Parameters[parameter].Count];
                Array.Fill(ones, 1);
                network.Parameters.SetMask(parameter, ones);
            }

            for (int gate = 0; gate < gates; gate++) layers.Add(new MaskedLayer(network, parameter, gate, gates, settings.Block, Wanted));

            double Wanted(int rows, int columns)
            {
                if (settings.Keep is null) return settings.TargetFraction!.Value;
                int group = network.Recipe.GroupUnits(network.Graph).TakeWhile(names => !names.Contains(node.Output.Units[0].Name)).Count();
                return (double)settings.Keep[group] * settings.Keep[group] / rows / columns;
            }
        }

        return layers.Count > 0 ? [.. layers]
            : throw new InvalidCallException("The network has no weights that such a mask could take away: its recurrent matrices are kept as factors.");
    }

    /// <summary>The blocks that a density leaves of so many.</summary>
    public int Kept(double density) => EdgeCounts.Of(Block.Down(Rows), Block.Across(Columns), density);

    /// <summary>The mask that keeps the blocks of the largest mean |w| among those that the mask keeps now.</summary>
    public Matrix Largest(int blocks)
    {
        Matrix weights = Weights, kept = Mask;
        for (int i = 0; i < weights.Data.Length; i++) weights.Data[i] = Math.Abs(weights.Data[i]) * kept.Data[i];
        Matrix ones = new(Rows, Columns);
        Array.Fill(ones.Data, 1);
        double[] score = Block.Sums(weights).Data, alive = Block.Sums(kept).Data, size = Block.Sums(ones).Data; // blocks at the borders are smaller
        Matrix chosen = new(Block.Down(Rows), Block.Across(Columns));
        foreach (int at in Enumerable.Range(0, score.Length).Where(at => alive[at] > 0).OrderByDescending(at =>
            score[at] / size[at]).Take(blocks)) chosen.Data[at] = 1;
        Matrix mask = Block.Spread(chosen, Rows, Columns);
        for (int i = 0; i < mask.Data.Length; i++) mask.Data[i] *= kept.Data[i];
        return mask;
    }

    /// <summary>Where all layers of a method stand.</summary>
    public static PruningReport Summarise(string method, MaskSettings settings, IEnumerable<MaskedLayer> layers, IReadOnlyList<LayerReport> reports)
        => new(method)
    {
        Weights = ((long)layers.Zip(reports).Sum(pair => Math.Round(pair.Second.Density * pair.First.Rows * pair.First.Columns)),
            layers.Sum(layer => (long)layer.Rows * layer.Columns)),
        Target = settings.TargetFraction,
        Layers = reports,
    };

    /// <summary>Where it stands, with its expansion.</summary>
    public LayerReport Report(IBackend backend, bool isFrozen = false)
    {
        Expansion expansion = Expansion.Unweighted(backend, new BipartiteGraph(Mask));
        return new LayerReport(Name, expansion.Graph.Density, expansion.Relative, expansion.RelativeGap, isFrozen);
    }
}
