using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Extent of a run, for what moves over it.</summary>
/// <param name="Steps">Of the whole run.</param>
/// <param name="StepsPerEpoch">Of one epoch.</param>
/// <param name="Seed">Of everything random.</param>
public readonly record struct RunExtent(long Steps, int StepsPerEpoch, ulong Seed);

/// <summary>
/// Pruning that happens while a network is trained: gates, penalties, masks. A <see cref="Trainer"/> calls it at the places named here; nothing is
/// allocated in a step, and nothing read back except where a method says so. A method leaves out the places at which it does nothing. The caller owns it
/// and disposes of it after the trainer.
/// </summary>
public interface ITrainedPruning : IDisposable
{
    /// <summary>The method's name, for example <c>l0</c>.</summary>
    string Name { get; }

    /// <summary>Its settings as one JSON object; a run is resumed with the same.</summary>
    string Settings { get; }

    /// <summary>Whether what a step does depends on how many steps the whole run has; it is then resumed with as many epochs.</summary>
    bool SpansAllSteps { get; }

    /// <summary>What a checkpoint keeps of it, by name; there after <see cref="Begin"/>. Each keeps its tensor and its count.</summary>
    IReadOnlyList<(string Name, Tensor Values)> State { get; }

    /// <summary>Called once, before anything else: takes memory on the network's device, and puts onto the network what it needs.</summary>
    /// <exception cref="InvalidCallException">The network or a setting does not allow it; the message names what.</exception>
    void Begin(Network network, RunExtent extent);

    /// <summary>Before a step's forward pass: draws gates.</summary>
    /// <param name="step">1-based, over the whole run.</param>
    void BeforeStep(long step)
    {
    }

    /// <summary>After a step's backward pass, before gradients are clipped: adds those of penalties.</summary>
    /// <param name="step">1-based, over the whole run.</param>
    void AfterBackward(long step)
    {
    }

    /// <summary>After the optimiser's step and the masks: moves what is its own, takes proximal steps, sets masks.</summary>
    /// <param name="step">1-based, over the whole run.</param>
    /// <param name="rate">The run's learning rate in this step.</param>
    void AfterStep(long step, double rate)
    {
    }

    /// <summary>Before the network is evaluated: makes it what it is without anything random.</summary>
    void BeforeEvaluation()
    {
    }

    /// <summary>Where it stands; reads the device.</summary>
    /// <param name="step">Steps done over the whole run.</param>
    PruningReport Report(long step);

    /// <summary>
    /// The smaller network that slicing would give now, which the caller owns; null where the method takes weights away rather than units.
    /// </summary>
    /// <exception cref="EverythingPrunedException">Some axis would have no unit left.</exception>
    Network? Slice();

    /// <summary>
    /// Ends the run: decides for good, leaves the trained network in the state in which it gives what the returned one gives, and returns the smaller
    /// network, which the caller owns; null where the trained network, masks and all, is the result.
    /// </summary>
    /// <exception cref="EverythingPrunedException">Some axis would have no unit left.</exception>
    Network? Finish();
}

/// <summary>What became of the units of an axis so far.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Units">All of them.</param>
/// <param name="Open">Those that stay as they are.</param>
/// <param name="Closed">Those that slicing would take away.</param>
/// <param name="Expected">The expected number of open ones in a step, where that is random.</param>
public sealed record UnitCounts(string Axis, int Units, int Open, int Closed, double? Expected = null)
{
    /// <summary>Those in between: they stay, scaled.</summary>
    public int Undecided => Units - Open - Closed;

    /// <summary>For example <c>l0 40 open, 70 closed, 18 undecided</c>.</summary>
    public override string ToString() => $"{Axis} {Open} open, {Closed} closed{(Undecided > 0 ? $", {Undecided} undecided" : "")}";
}

/// <summary>What a mask has left of one layer.</summary>
/// <param name="Layer">The parameter's name, for a gate with its number.</param>
/// <param name="Density">The share of its weights.</param>
/// <param name="Expansion">delta_R over its bound (<see cref="Graphs.Expansion.Relative"/>); null where that cannot be judged.</param>
/// <param name="Gap">(sigma_1 - sigma_2) / sigma_1.</param>
/// <param name="IsFrozen">Whether its mask is final.</param>
public sealed record LayerReport(string Layer, double Density, double? Expansion, double Gap, bool IsFrozen = false)
{
    /// <summary>For example <c>rnn.weight_hh_l0 density 0.24, delta_R +0.031, frozen</c>.</summary>
    public override string ToString() =>
        $"{Layer} density {Density:0.###}, delta_R {(Expansion is { } x ? $"{x:+0.000;-0.000}" : "not evaluated")}{(IsFrozen ? ", frozen" : "")}";
}

/// <summary>How far a trained pruning has come.</summary>
/// <param name="Method">Its name.</param>
public sealed record PruningReport(string Method)
{
    /// <summary>The units of every axis that it prunes.</summary>
    public IReadOnlyList<UnitCounts> Axes { get; init; } = [];

    /// <summary>Weights left by a method that takes away weights, and all that it may take; null for others.</summary>
    public (long Kept, long All)? Weights { get; init; }

    /// <summary>The layers of a method that masks weights layer by layer.</summary>
    public IReadOnlyList<LayerReport> Layers { get; init; } = [];

    /// <summary>The size that the run should have come to now, as a share of the units or weights; null where none is asked for.</summary>
    public double? Target { get; init; }

    /// <summary>Factor on the penalty: lambda, the largest where there are several; null without one.</summary>
    public double? Penalty { get; init; }

    /// <summary>The expected number of weights of one gate of all recurrences in a step, where that is random.</summary>
    public double? ExpectedWeights { get; init; }

    /// <summary>Sizes of the axes after slicing, by name, in the order of <see cref="Axes"/>; empty where nothing can be sliced, or within an epoch.</summary>
    public IReadOnlyDictionary<string, int> SlicedUnits { get; init; } = new Dictionary<string, int>();

    /// <summary>Parameters after slicing; null within an epoch, and where nothing is sliced.</summary>
    public long? SlicedParameters { get; init; }

    /// <summary>The sliced network on the validation set, where there are both.</summary>
    public Evaluation? Sliced { get; init; }

    /// <summary>The expected number of open units of all axes in a step, where that is random.</summary>
    public double? ExpectedUnits => Axes.All(axis => axis.Expected is not null) && Axes.Count > 0 ? Axes.Sum(axis => axis.Expected) : null;
}
