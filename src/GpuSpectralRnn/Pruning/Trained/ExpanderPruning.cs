using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Iterative magnitude pruning with a layerwise stop that keeps layers expanders (docs/method.md, section 16): in each round every layer loses its
/// smallest weights; where that would take a layer below its limit, its step is undone and its mask is final. Between rounds the weights are trained
/// further, or go back to earlier ones (Frankle et al., ICML 2020). Without a stop it is plain iterative magnitude pruning (Han et al., NeurIPS
/// 2015). Masks, not a smaller network; units that are left without weights are sliced away in the end.
/// </summary>
/// <param name="settings">The aim and the stop.</param>
/// <exception cref="InvalidCallException">A setting is out of range.</exception>
public sealed class ExpanderPruning(ExpanderSettings settings) : ITrainedPruning
{
    /// <summary>Its names in tables and calls: with a stop, and without.</summary>
    public const string MethodName = "expander", PlainName = "magnitude";

    private readonly ExpanderSettings settings = TrainedPruningSettings.Checked(settings);
    private Network? network;
    private MaskedLayer[] layers = [];
    private LayerReport?[] reports = [];
    private Tensor? frozen, earlier; // [layers], ones for those whose mask is final; the block of weights to go back to
    private RunExtent extent;
    private int rounds;

    /// <inheritdoc/>
    public string Name => settings.Stop == ExpansionStop.None ? PlainName : MethodName;

    /// <inheritdoc/>
    public string Settings => settings.ToJson();

    /// <inheritdoc/>
    public bool SpansAllSteps => true;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Values)> State =>
    [
        ("mask", Network.Parameters.Mask!),
        ("frozen", frozen!),
        .. earlier is null ? Array.Empty<(string, Tensor)>() : [("earlier", earlier)],
    ];

    private Network Network => network ?? throw new InvalidOperationException("Masks are there once a run has begun.");

    /// <inheritdoc/>
    public void Begin(Network network, RunExtent extent)
    {
        if (this.network is not null) throw new InvalidOperationException("These masks are another run's.");
        layers = MaskedLayer.Find(network, settings);
        (this.network, this.extent) = (network, extent);
        reports = new LayerReport?[layers.Length];
        frozen = network.Backend.Allocate(new Shape(layers.Length));
        rounds = (int)Math.Ceiling(Math.Log(layers.Min(layer => layer.Density)) / Math.Log(1 - settings.StepFraction) - 1e-9);
        if (settings.RewindEpoch is not { } epoch) return;
        if (StepOf(1) <= epoch * (long)extent.StepsPerEpoch)
            throw new InvalidCallException(
                $"`RewindEpoch` {epoch} lies behind the first round, at step {StepOf(1)} of {extent.Steps} " +
                $"({extent.StepsPerEpoch} to an epoch); choose an earlier one.");
        earlier = network.Backend.Allocate(network.Parameters.Values.Shape);
        network.Backend.Copy(network.Parameters.Values, earlier);
    }

    /// <inheritdoc/>
    public void AfterStep(long step, double rate)
    {
        if (earlier is not null && step == settings.RewindEpoch * (long)extent.StepsPerEpoch)
            Network.Backend.Copy(Network.Parameters.Values, earlier);
        for (int round = 1; round <= rounds; round++)
            if (StepOf(round) == step) Prune(round);
    }

    /// <inheritdoc/>
    public PruningReport Report(long step)
    {
        float[] isFrozen = frozen!.ToArray();
        for (int i = 0; i < layers.Length; i++) reports[i] ??= layers[i].Report(Network.Backend, isFrozen[i] != 0);
        return MaskedLayer.Summarise(Name, settings, layers, [.. reports.Select(report => report!)]);
    }

    /// <inheritdoc/>
    public Network? Slice() => null;

    /// <inheritdoc/>
    public Network? Finish() => EmptyUnits.Slice(Network);

    /// <inheritdoc/>
    public void Dispose()
    {
        frozen?.Dispose();
        earlier?.Dispose();
    }

    /// <summary>The step of a round, 1-based.</summary>
    internal long StepOf(int round)
    {
        double at = rounds == 1 ? settings.Start : settings.Start + ((settings.End - settings.Start) * (round - 1) / (rounds - 1));
        return Math.Clamp((long)Math.Round(at * extent.Steps), 1, extent.Steps);
    }

    private void Prune(int round)
    {
        float[] isFrozen = frozen!.ToArray();
        for (int i = 0; i < layers.Length; i++)
        {
            if (isFrozen[i] != 0) continue;
            MaskedLayer layer = layers[i];
            Matrix before = layer.Mask;
            int blocks = layer.Kept(round == rounds ? layer.Density : Math.Max(layer.Density, Math.Pow(1 - settings.StepFraction, round)));
            layer.Mask = layer.Largest(blocks);
            LayerReport report = layer.Report(Network.Backend);
            if (IsTooFar(report))
            {
                layer.Mask = before;
                isFrozen[i] = 1;
                report = (reports[i] ?? layer.Report(Network.Backend)) with { IsFrozen = true };
            }

            reports[i] = report;
        }

        frozen.CopyFrom<float>(isFrozen);
        EmptyUnits.MaskBiases(Network);
        if (earlier is not null) Network.Backend.Copy(earlier, Network.Parameters.Values);
        Network.Parameters.ApplyMask();
    }

    // A layer that can no longer be judged is one whose expansion would be lost unseen.
    private bool IsTooFar(LayerReport report) => settings.Stop switch
    {
        ExpansionStop.Ramanujan => !(report.Expansion >= (settings.ExpansionLimit ?? 0)),
        ExpansionStop.Gap => !(report.Gap >= settings.ExpansionLimit!.Value),
        _ => false,
    };
}
