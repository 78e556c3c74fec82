using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>How many units each layer keeps; exactly one of the rules is given.</summary>
public sealed record UnitBudget
{
    /// <summary>Counts: one for every layer, or one for all.</summary>
    public IReadOnlyList<int>? Keep { get; init; }

    /// <summary>Share of the units, above 0 and up to 1.</summary>
    public double? Fraction { get; init; }

    /// <summary>Share of Tr S that the largest eigenvalues hold, above 0 and up to 1.</summary>
    public double? Trace { get; init; }

    /// <summary>N(lambda), rounded up: the degrees of freedom at this lambda.</summary>
    public double? Lambda { get; init; }

    /// <summary>Counts are rounded up to multiples of this, as far as there are units.</summary>
    public int RoundTo { get; init; } = 1;

    /// <summary>
    /// Whether the layers share one budget: the parameters that the rule would leave, taken away where each costs the outputs least (L_G by
    /// backward elimination).
    /// </summary>
    public bool IsShared { get; init; }

    /// <summary>Checks what needs no data.</summary>
    /// <exception cref="InvalidCallException">Not exactly one rule is given, or its value is out of range.</exception>
    public void Check(Architecture architecture)
    {
        int rules = (Keep is null ? 0 : 1) + (Fraction is null ? 0 : 1) + (Trace is null ? 0 : 1) + (Lambda is null ? 0 : 1);
        if (rules != 1) throw new InvalidCallException("Say how much to keep, in one way: `Keep`, `Fraction`, `Trace`, `Lambda`, or by a search within a `tolerance`.");
        if (RoundTo < 1) throw new InvalidCallException($"`RoundTo` {RoundTo}: choose 1 or more.");
        if (Keep is not null) KeepCounts.Check(architecture, Counts(architecture, Keep));
        if (Fraction is { } share && !(share > 0 && share <= 1))
            throw new InvalidCallException($"`Fraction` {share} is not a share; give more than 0 and at most 1, for example 0.33.");
        if (Trace is { } power && !(power > 0 && power <= 1))
            throw new InvalidCallException($"`Trace` {power} is not a share of the power; give more than 0 and at most 1, for example 0.99.");
        if (Lambda is { } lambda && !(lambda > 0 && double.IsFinite(lambda)))
            throw new InvalidCallException($"`Lambda` {lambda}: give a number above 0.");
    }

    /// <summary>k for every layer.</summary>
    /// <exception cref="InvalidCallException">Not exactly one rule is given, or its value is out of range.</exception>
    public int[] Resolve(Calibration calibration)
    {
        Architecture architecture = calibration.Network.Architecture;
        Check(architecture);
        int[] keep;
        if (Keep is not null)
        {
            keep = Counts(architecture, Keep);
        }
        else if (Fraction is { } share)
        {
            keep = OfShare(architecture, share);
        }
        else
        {
            // Both directions of a layer keep as many units: what the one that needs more needs.
            keep = [.. Enumerable.Range(0, architecture.Recurrences).Select(r => Spectrum.Compute(calibration.Gram(r)))
                .Select(spectrum => Trace is { } trace ? spectrum.UnitsForTrace(trace) : spectrum.UnitsForLambda(Lambda!.Value))
                .Chunk(architecture.Directions).Select(layer => layer.Max())];
        }

        if (IsShared) keep = Share(calibration, keep);
        return Rounded(architecture, keep, RoundTo);
    }

    private static int[] Counts(Architecture architecture, IReadOnlyList<int> keep) =>
        keep.Count == 1 ? [.. Enumerable.Repeat(keep[0], architecture.Layers)] : [.. keep];

    /// <summary>The same share of every layer's units, to the nearest count, at least 1.</summary>
    internal static int[] OfShare(Architecture architecture, double share) =>
        [.. architecture.Hidden.Select(m => Math.Clamp((int)Math.Round(share * m), 1, m))];

    /// <summary>Counts rounded up to multiples.</summary>
    internal static int[] Rounded(Architecture architecture, IReadOnlyList<int> keep, int multiple) =>
        [.. keep.Select((k, layer) => Math.Min(architecture.Hidden[layer], (k + multiple - 1) / multiple * multiple))];

    private static int[] Share(Calibration calibration, int[] keep)
    {
        Architecture architecture = calibration.Network.Architecture;
        bool isFisher = calibration.Metric == AdjointMetric.Fisher;
        SpectralPruning adjoint = new(new SpectralSettings { Criterion = isFisher ? SpectralCriterion.Fisher : SpectralCriterion.Adjoint });
        Selection[] paths =
            [.. Enumerable.Range(0, architecture.Recurrences).Select(r => new BackwardSelector().Select(adjoint.Problem(calibration, r), 1))];
        long Count(IReadOnlyList<int> hidden) => (architecture with { Hidden = hidden }).ParameterCount;
        return UnitAllocation.Allocate(architecture.Hidden, [.. paths.Chunk(architecture.Directions)], Count, Count(keep));
    }
}
