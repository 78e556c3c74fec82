using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>How a mask is made that does not look at the weights.</summary>
public enum MaskConstruction
{
    /// <summary>Drawn uniformly (<see cref="UniformMask"/>).</summary>
    Random,

    /// <summary>Random, with equal degrees (<see cref="BiregularMask"/>).</summary>
    Biregular,

    /// <summary>By 2-lifts from a small biregular graph (<see cref="LiftedMask"/>).</summary>
    Lifted,
}

/// <summary>Settings of <see cref="ConstructedMasks"/>.</summary>
public sealed record ConstructedMaskSettings : MaskSettings
{
    /// <summary>How masks are made.</summary>
    public MaskConstruction Construction { get; init; }
}

/// <summary>
/// Masks from the first step on, made without a look at the weights: random, or expanders by construction (docs/method.md, section 16). The network
/// is trained with what they leave; units that are left without weights are sliced away in the end.
/// </summary>
/// <param name="settings">The aim and the construction.</param>
/// <exception cref="InvalidCallException">A setting is out of range.</exception>
public sealed class ConstructedMasks(ConstructedMaskSettings settings) : ITrainedPruning
{
    /// <summary>Names in calls.</summary>
    public const string RandomName = "random-mask", BiregularName = "biregular", LiftedName = "lift";

    /// <summary>Above the streams of initial weights and shuffles; two for each layer.</summary>
    private const ulong Streams = 1UL << 58;

    private readonly ConstructedMaskSettings settings = TrainedPruningSettings.Checked(settings);
    private Network? network;
    private MaskedLayer[] layers = [];
    private LayerReport[]? reports;

    /// <inheritdoc/>
    public string Name => settings.Construction switch
    {
        MaskConstruction.Random => RandomName,
        MaskConstruction.Biregular => BiregularName,
        _ => LiftedName,
    };

    /// <inheritdoc/>
    public string Settings => settings.ToJson();

    /// <inheritdoc/>
    public bool SpansAllSteps => false;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Values)> State => [("mask", Network.Parameters.Mask!)];

    private Network Network => network ?? throw new InvalidOperationException("Masks are there once a run has begun.");

    /// <inheritdoc/>
    public void Begin(Network network, RunExtent extent)
    {
        if (this.network is not null) throw new InvalidOperationException("These masks are another run's.");
        layers = MaskedLayer.Find(network, settings);
        this.network = network;
        for (int i = 0; i < layers.Length; i++)
        {
            (MaskedLayer layer, BlockExtent block) = (layers[i], settings.Block);
            Matrix blocks = Draw(settings.Construction, block.Down(layer.Rows), block.Across(layer.Columns), layer.Kept(layer.Density), extent.Seed,
                Streams + (2 * (ulong)i));
            layer.Mask = block.Spread(blocks, layer.Rows, layer.Columns);
        }

        EmptyUnits.MaskBiases(network);
        network.Parameters.ApplyMask();
    }

    /// <inheritdoc/>
    public PruningReport Report(long step)
    {
        reports ??= [.. layers.Select(layer => layer.Report(Network.Backend))];
        return MaskedLayer.Summarise(Name, settings, layers, reports);
    }

    /// <inheritdoc/>
    public Network? Slice() => null;

    /// <inheritdoc/>
    public Network? Finish() => EmptyUnits.Slice(Network);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>A mask [rows, columns] of so many ones.</summary>
    internal static Matrix Draw(MaskConstruction construction, int rows, int columns, int edges, ulong seed, ulong stream) => construction switch
    {
        MaskConstruction.Random => UniformMask.Draw(rows, columns, edges, seed, stream),
        MaskConstruction.Biregular => BiregularMask.Draw(rows, columns, edges, seed, stream),
        _ => LiftedMask.Draw(rows, columns, edges, seed, stream),
    };
}
