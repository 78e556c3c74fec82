using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>A size on a curve.</summary>
/// <param name="Keep">k for each layer.</param>
/// <param name="Chosen">The divergence on the inputs to choose by.</param>
/// <param name="Judged">The divergence on inputs that neither statistics nor choices saw.</param>
/// <param name="MultiplyAdds">Of a sequence.</param>
public sealed record SizeCurvePoint(IReadOnlyList<int> Keep, OutputDivergence Chosen, OutputDivergence Judged, long MultiplyAdds)
{
    /// <summary>As <see cref="KeepSize.Parse"/> reads it.</summary>
    public string Size => $"{new KeepSize(Keep).Shortened}";
}

/// <summary>
/// The divergence from the big network against the number of kept units, by spectral pruning with the adjoint criterion, not refined; what size to
/// keep follows from it.
/// </summary>
/// <param name="Points">Eighths of every layer's units, from the least to all; two or more.</param>
/// <param name="Sequences">Sequences of <see cref="SizeCurvePoint.Judged"/>.</param>
public sealed record SizeCurve(IReadOnlyList<SizeCurvePoint> Points, int Sequences)
{
    private const int Parts = 8;

    /// <summary>The size at the knee of the curve on the inputs to choose by (<see cref="Knee"/>).</summary>
    public SizeCurvePoint Recommended { get; } = Points[Knee.Find([.. Points.Select(point => ((double)point.Keep.Sum(), point.Chosen.Divergence))])];

    /// <summary>Measures the curve.</summary>
    /// <exception cref="InvalidCallException">The network's units cannot be dropped.</exception>
    /// <exception cref="RunFailedException">The gradients or a divergence are not finite.</exception>
    public static SizeCurve Measure(Calibration calibration)
    {
        Network network = calibration.Network;
        int[] units = network.Recipe.CountUnits(network.Graph);
        Budget.Check(network.Recipe, network.Graph, units);
        SequenceLayout layout = calibration.Inputs.Layout;
        SpectralPruning method = new(new SpectralSettings
        {
            Criterion = calibration.Metric == AdjointMetric.Fisher ? SpectralCriterion.Fisher : SpectralCriterion.Adjoint,
        });
        int[][] sizes = [.. Enumerable.Range(1, Parts).Select(part => Budget.OfShare(units, (double)part / Parts))];
        sizes = [.. sizes.Where((keep, i) => i == 0 || !keep.SequenceEqual(sizes[i - 1]))];
        List<SizeCurvePoint> points = [];
        using DivergenceMeter choice = DivergenceMeter.OfChoice(calibration), judgement = DivergenceMeter.OfJudgement(calibration);
        foreach ((int[] keep, PruningPlan plan) in sizes.Zip(method.PlanAll(calibration, sizes)))
        {
            using Network small = Slicer.Slice(calibration.Weights, plan).ToNetwork(network.Backend);
            points.Add(new SizeCurvePoint(
                keep,
                choice.Measure(small),
                judgement.Measure(small),
                small.Graph.MultiplyAdds(layout)));
            if (!double.IsFinite(points[^1].Chosen.Divergence)) throw new RunFailedException($"The answers of {points[^1].Size} units are not finite.");
        }

        return points.Count > 1
            ? new SizeCurve(points, calibration.Judged.Count)
            : throw new InvalidCallException("A network of single units has no smaller size.");
    }

    /// <summary>
    /// For example <c>keep 48 of 128 units: expected KL 0.13, agreement 94.9 % (640 sequences held out, before refinement), 5.1 times fewer
    /// multiply-adds</c>.
    /// </summary>
    public override string ToString() =>
        $"keep {Recommended.Size} of {Points[^1].Size} units: expected {Recommended.Judged} ({Sequences:N0} sequences held out, before refinement), "
        + $"{(double)Points[^1].MultiplyAdds / Recommended.MultiplyAdds:0.0} times fewer multiply-adds";
}
