using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using Eliminations = System.Collections.Generic.Dictionary<
    int, (GpuSpectralRnn.Spectral.SelectionProblem Problem, GpuSpectralRnn.Spectral.Selection All)>; // of axes, all the way down

namespace GpuSpectralRnn.Pruning;

/// <summary>Objective of a spectral selection (docs/method.md, sections 2.2 and 5).</summary>
public enum SpectralCriterion
{
    /// <summary>L_G: reconstruction errors weighted by their effect on the outputs.</summary>
    Adjoint,

    /// <summary>L_G in the Fisher metric of the softmax.</summary>
    Fisher,

    /// <summary>theta L_A + (1 - theta) L_B, the paper's objective.</summary>
    Paper,

    /// <summary>L_G and L_B, each over its value for the empty set.</summary>
    AdjointOutput,
}

/// <summary>Selection algorithm.</summary>
public enum UnitSearch
{
    /// <summary>Backward elimination.</summary>
    Backward,

    /// <summary>Greedy forward selection.</summary>
    Greedy,

    /// <summary>Greedy forward selection, then exchanges.</summary>
    Swap,

    /// <summary>Sampling by leverage scores.</summary>
    Leverage,

    /// <summary>Uniform sampling.</summary>
    Random,
}

/// <summary>How the dropped units are reconstructed from the kept ones.</summary>
public enum FoldKind
{
    /// <summary>Linearly: h ~ A_J h_J.</summary>
    Linear,

    /// <summary>With an intercept, from centred moments; all steps have equal weights.</summary>
    Affine,

    /// <summary>Not at all: they are replaced by zero.</summary>
    None,
}

/// <summary>Weights that are refitted after the selection.</summary>
public enum Refit
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The read-out, in closed loop.</summary>
    Readout,

    /// <summary>The rows of the layers, then the read-out.</summary>
    Rows,
}

/// <summary>Settings of spectral pruning.</summary>
public sealed record SpectralSettings
{
    /// <summary>Objective of the selection.</summary>
    public SpectralCriterion Criterion { get; init; } = SpectralCriterion.Adjoint;

    /// <summary>The paper's theta in [0, 1]: 0 output loss only, 1 input loss only.</summary>
    public double Theta { get; init; }

    /// <summary>Selection algorithm.</summary>
    public UnitSearch Search { get; init; } = UnitSearch.Backward;

    /// <summary>Whether steps are weighted by their mean squared adjoint, in selection and reconstruction.</summary>
    public bool IsTimeWeighted { get; init; }

    /// <summary>How the dropped units are reconstructed from the kept ones.</summary>
    public FoldKind Fold { get; init; } = FoldKind.Linear;

    /// <summary>Ridge tau relative to Tr S / m; null: the cell's default (<see cref="Spectral.Ridge.Default(Graph, PrunableAxis)"/>).</summary>
    public double? Ridge { get; init; }

    /// <summary>Columns of the embedding to keep; null: all, untouched.</summary>
    public int? KeepEmbedding { get; init; }

    /// <summary>Weights that are refitted.</summary>
    public Refit Refit { get; init; } = Refit.None;

    /// <summary>For example <c>adjoint, time-weighted, backward</c>.</summary>
    public override string ToString()
    {
        string criterion = Criterion == SpectralCriterion.Paper ? $"theta {Theta:0.##}" : Criterion.Name();
        string fold = Fold == FoldKind.Linear ? "" : $", fold {Fold.Name()}";
        string refit = Refit == Refit.None ? "" : $", refit {Refit.Name()}";
        string ridge = Ridge is { } share ? $", ridge {share:0.##e+0}" : "";
        return $"{criterion}, {(IsTimeWeighted ? "time-weighted" : "plain")}, {Search.Name()}{ridge}{fold}{refit}";
    }
}

/// <summary>Spectral pruning with one criterion (docs/method.md, sections 2, 3, 5, 7.2 and 7.3).</summary>
/// <param name="settings">Its settings.</param>
public sealed class SpectralPruning(SpectralSettings settings) : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => MethodSpec.Spectral;

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep) => Plan(calibration, keep, null);

    /// <summary>The plans for several sizes, as <see cref="Plan(Calibration, IReadOnlyList{int})"/> makes each.</summary>
    /// <param name="calibration">The statistics.</param>
    /// <param name="sizes">k of every group, size by size. Backward elimination passes them all on one way down.</param>
    public IReadOnlyList<PruningPlan> PlanAll(Calibration calibration, IReadOnlyList<IReadOnlyList<int>> sizes)
    {
        Eliminations passed = [];
        return [.. sizes.Select(keep => Plan(calibration, keep, passed))];
    }

    private PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep, Eliminations? passed)
    {
        if (settings.KeepEmbedding is { } columns) AxisPlans.CheckEmbedding(calibration.Network.Architecture, columns);
        PruningPlan plan = AxisPlans.Plan(Name, calibration, keep, (axis, i, k, tied) => Plan(calibration, axis, i, k, tied, passed));
        if (settings.KeepEmbedding is { } kept)
        {
            IReadOnlyList<PrunableAxis> axes = calibration.Network.Graph.PrunableAxes;
            plan = plan with { Axes = [.. plan.Axes.Take(axes.Count - 1), Plan(calibration, axes[^1], axes.Count - 1, kept, null, passed)] };
        }

        if (settings.Refit == Refit.Rows) plan = RowRefit.Apply(calibration, plan);
        return settings.Refit == Refit.None ? plan : ReadoutRefit.Apply(calibration, plan);
    }

    /// <summary>The selection problem of one axis.</summary>
    /// <param name="calibration">The statistics.</param>
    /// <param name="index">Index of the axis in <see cref="Graph.PrunableAxes"/>.</param>
    internal SelectionProblem Problem(Calibration calibration, int index)
    {
        PrunableAxis axis = calibration.Network.Graph.PrunableAxes[index];
        Matrix gram = settings.Fold == FoldKind.Affine
            ? calibration.CentredGram(index)
            : calibration.Gram(index, settings.IsTimeWeighted);
        Matrix criterion = settings.Criterion switch
        {
            SpectralCriterion.Adjoint => calibration.Adjoint(index, AdjointMetric.Identity).Matrix,
            SpectralCriterion.Fisher => calibration.Adjoint(index, AdjointMetric.Fisher).Matrix,
            SpectralCriterion.AdjointOutput => Criterion.Normalised(
                gram, (0.5, calibration.Adjoint(index).Matrix), (0.5, Criterion.Output(calibration.Weights.Consumers(index)))),
            _ => Criterion.Paper(gram, calibration.Weights.Consumers(index), settings.Theta),
        };
        return new SelectionProblem(gram, Ridge.Uniform(gram, RidgeOf(calibration, axis)), criterion);
    }

    private UnitPlan Plan(Calibration calibration, PrunableAxis axis, int index, int keep, int[]? tied, Eliminations? passed)
    {
        calibration.Cancellation.ThrowIfCancellationRequested();
        if (tied is not null) return UnitFold.None(axis.Units, tied);
        (SelectionProblem problem, int[] kept) = Choose(calibration, axis, index, keep, passed);
        if (!axis.IsFoldable) return UnitFold.None(problem.Units, kept);
        return settings.Fold switch
        {
            FoldKind.None => UnitFold.None(problem.Units, kept),
            FoldKind.Affine => UnitFold.Affine(problem.Gram, calibration.Mean(index), RidgeOf(calibration, axis), kept),
            _ => UnitFold.Reconstructed(problem.Gram, RidgeOf(calibration, axis), kept),
        };
    }

    private (SelectionProblem Problem, int[] Kept) Choose(Calibration calibration, PrunableAxis axis, int index, int keep, Eliminations? passed)
    {
        if (passed is null || settings.Search != UnitSearch.Backward)
        {
            SelectionProblem problem = Problem(calibration, axis, index);
            return (problem, Selector(problem, calibration.Settings.Seed + (ulong)index).Select(problem, keep).Kept);
        }

        if (!passed.TryGetValue(index, out (SelectionProblem Problem, Selection All) way))
        {
            way.Problem = Problem(calibration, axis, index);
            way.All = new BackwardSelector().Select(way.Problem, 1);
            passed.Add(index, way);
        }

        return (way.Problem, [.. Enumerable.Range(0, axis.Units).Except(way.All.Order.Take(axis.Units - keep))]);
    }

    private SelectionProblem Problem(Calibration calibration, PrunableAxis axis, int index) =>
        axis.TiedTo.Count == 0 ? Problem(calibration, index) : JointProblem(calibration, axis);

    // Tied axes keep the same units, so their Gram matrices and criteria are added.
    private SelectionProblem JointProblem(Calibration calibration, PrunableAxis axis)
    {
        IReadOnlyList<PrunableAxis> axes = calibration.Network.Graph.PrunableAxes;
        SelectionProblem[] problems =
            [.. Enumerable.Range(0, axes.Count)
                .Where(i => axes[i] == axis || axis.TiedTo.Contains(axes[i].Name)).Select(i => Problem(calibration, i))];
        Matrix gram = problems.Select(problem => problem.Gram).Aggregate((a, b) => a + b);
        return new SelectionProblem(
            gram, Ridge.Uniform(gram, RidgeOf(calibration, axis)), problems.Select(problem => problem.Criterion).Aggregate((a, b) => a + b));
    }

    private double RidgeOf(Calibration calibration, PrunableAxis axis) => settings.Ridge ?? calibration.DefaultRidge(axis);

    private ISelector Selector(SelectionProblem problem, ulong seed) => settings.Search switch
    {
        UnitSearch.Backward => new BackwardSelector(),
        UnitSearch.Greedy => new GreedySelector(),
        UnitSearch.Swap => new SwapSelector(new GreedySelector()),
        UnitSearch.Leverage =>
            SampledSelector.Leverage(Spectrum.Compute(problem.Gram).Leverage(problem.Ridge[0]), seed),
        _ => SampledSelector.Uniform(seed),
    };
}
