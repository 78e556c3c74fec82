using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Gradual magnitude pruning (Narang et al., ICLR 2017; docs/method.md, section 15): weights below a growing threshold are masked for good. Masks, not a
/// smaller network. Where Narang guesses the last threshold q from a dense network, it is here the one below which the share of weights lies that is to
/// go, of the weights as they are then, so that the share is met.
/// </summary>
/// <param name="settings">The aim.</param>
/// <exception cref="InvalidCallException">A setting is out of range.</exception>
public sealed class GradualPruning(GradualSettings settings) : ITrainedPruning
{
    /// <summary>Its name in tables and calls.</summary>
    public const string MethodName = "gradual";

    /// <summary>Masks are set this often in a run; each time the weights come to the host.</summary>
    private const int Updates = 100;

    private readonly GradualSettings settings = TrainedPruningSettings.Checked(settings);
    private Network? network;
    private MaskedMatrix[] matrices = [];
    private float[] weights = [], sizes = [];
    private RunExtent extent;

    /// <inheritdoc/>
    public string Name => MethodName;

    /// <inheritdoc/>
    public string Settings => settings.ToJson();

    /// <inheritdoc/>
    public bool SpansAllSteps => true;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Values)> State => [("mask", Network.Parameters.Mask!)];

    private Network Network => network ?? throw new InvalidOperationException("Masks are there once a run has begun.");

    private long Interval => Math.Max(1, extent.Steps / Updates);

    /// <inheritdoc/>
    public void Begin(Network network, RunExtent extent)
    {
        if (this.network is not null) throw new InvalidOperationException("These masks are another run's.");
        Budget.Check(network.Recipe, network.Graph, settings.Keep ?? network.Recipe.CountUnits(network.Graph));
        (this.network, this.extent) = (network, extent);
        List<MaskedMatrix> found = [];
        foreach (Node node in network.Graph.Nodes)
        {
            foreach (string name in Matrices(node).Where(name => found.All(known => known.Name != name)))
            {
                Tensor values = network.Parameters[name];
                if (network.Parameters.MaskOf(name) is null) network.Parameters.SetMask(name, Ones(values.Count));
                found.Add(new MaskedMatrix(name, values, network.Parameters.MaskView(name), values.Count - Left(node, values.Count)));
            }
        }

        matrices = [.. found];
        int longest = (int)matrices.Max(matrix => matrix.Values.Count);
        (weights, sizes) = (new float[longest], new float[longest]);
    }

    /// <inheritdoc/>
    public void AfterStep(long step, double rate)
    {
        double grown = Grown((double)step / extent.Steps);
        bool isLast = grown >= 1 && Grown((step - 1.0) / extent.Steps) < 1;
        if (grown > 0 && (isLast || (grown < 1 && step % Interval == 0))) Mask(grown);
    }

    /// <inheritdoc/>
    public PruningReport Report(long step) => new(Name)
    {
        Weights = (matrices.Sum(matrix => matrix.Mask.ToArray().LongCount(x => x != 0)), matrices.Sum(matrix => matrix.Values.Count)),
        Target = settings.TargetFraction,
    };

    /// <inheritdoc/>
    public Network? Slice() => null;

    /// <inheritdoc/>
    public Network? Finish()
    {
        Mask(1);
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static float[] Ones(long count)
    {
        float[] ones = new float[count];
        Array.Fill(ones, 1);
        return ones;
    }

    private IEnumerable<string> Matrices(Node node) => node.Module switch
    {
        Recurrent recurrent when settings.Keep is not null => [recurrent.HiddenWeight],
        Recurrent recurrent => [recurrent.InputWeight, recurrent.HiddenWeight],
        Linear linear when settings.Keep is null => [linear.WeightName],
        _ => [],
    };

    private long Left(Node node, long count)
    {
        if (settings.Keep is null) return Math.Max(1, (long)Math.Round(settings.TargetFraction!.Value * count));
        int group = Network.Recipe.GroupUnits(Network.Graph).TakeWhile(names => !names.Contains(node.Output.Units[0].Name)).Count();
        return (long)((Recurrent)node.Module).Cell.Gates() * settings.Keep[group] * settings.Keep[group];
    }

    /// <summary>The threshold over the last one at a share of the run: rising from the start, half as fast again from the ramp on, 1 from the end on.</summary>
    internal double Grown(double at)
    {
        double slow = Math.Clamp(at, settings.Start, settings.Ramp) - settings.Start, fast = Math.Clamp(at, settings.Ramp, settings.End) - settings.Ramp;
        return at >= settings.End ? 1 : (slow + (1.5 * fast)) / (settings.Ramp - settings.Start + (1.5 * (settings.End - settings.Ramp)));
    }

    private void Mask(double grown)
    {
        foreach (MaskedMatrix matrix in matrices)
        {
            int count = (int)matrix.Values.Count, dropped = (int)matrix.Dropped;
            if (dropped == 0) continue;
            Span<float> values = weights.AsSpan(0, count), size = sizes.AsSpan(0, count);
            matrix.Values.CopyTo(values);
            for (int i = 0; i < count; i++) size[i] = Math.Abs(values[i]);
            size.Sort();
            float threshold = (float)(grown * size[dropped - 1]);
            for (int i = 0; i < count; i++) values[i] = Math.Abs(values[i]) > threshold ? 1 : 0;
            matrix.Mask.CopyFrom<float>(values);
        }

        Network.Parameters.ApplyMask();
    }

    // Dropped: how many weights go in the end.
    private sealed record MaskedMatrix(string Name, Tensor Values, Tensor Mask, long Dropped);
}
