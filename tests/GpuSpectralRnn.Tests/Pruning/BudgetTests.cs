using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>How many units stay.</summary>
public sealed class BudgetTests : IDisposable
{
    private readonly HostBackend host = new(2);
    private readonly Network network;
    private readonly Calibration calibration;

    public BudgetTests()
    {
        network = TestNetworks.Make(host, Cell.RnnTanh, [12, 7], Readout.Last);
        calibration = new Calibration(network, new NormalData(50, 4, 3));
    }

    public void Dispose()
    {
        network.Dispose();
        host.Dispose();
    }

    [Fact]
    public void Counts_shares_and_multiples()
    {
        Assert.Equal([5, 5], new Budget { Keep = [5] }.Resolve(calibration));
        Assert.Equal([5, 2], new Budget { Keep = [5, 2] }.Resolve(calibration));
        Assert.Equal([4, 2], new Budget { Fraction = 1.0 / 3 }.Resolve(calibration));
        Assert.Equal([1, 1], new Budget { Fraction = 0.01 }.Resolve(calibration));
        Assert.Equal([8, 4], new Budget { Keep = [5, 2], RoundTo = 4 }.Resolve(calibration));
        Assert.Equal([12, 7], new Budget { Keep = [9, 5], RoundTo = 8 }.Resolve(calibration));
    }

    [Fact]
    public void Power_and_degrees_of_freedom()
    {
        double[] mu = [.. Spectrum.Compute(calibration.Gram(0)).Eigenvalues];
        int[] byTrace = new Budget { Trace = 0.9 }.Resolve(calibration);
        Assert.True(mu.Take(byTrace[0]).Sum() >= 0.9 * mu.Sum() && mu.Take(byTrace[0] - 1).Sum() < 0.9 * mu.Sum());
        Assert.Equal((int)Math.Ceiling(mu.Sum(x => x / (x + 0.05))), new Budget { Lambda = 0.05 }.Resolve(calibration)[0]);
    }

    [Fact]
    public void A_centred_budget_counts_variance()
    {
        int[] units = new Budget { Trace = 0.9, IsCentred = true }.Resolve(calibration);
        for (int layer = 0; layer < 2; layer++)
        {
            double[] mu = [.. Spectrum.Compute(calibration.CentredGram(layer)).Eigenvalues];
            Assert.True(mu.Take(units[layer]).Sum() >= 0.9 * mu.Sum() && mu.Take(units[layer] - 1).Sum() < 0.9 * mu.Sum());
        }
    }

    [Fact]
    public void A_shared_budget_leaves_no_more_parameters_and_costs_the_outputs_no_more()
    {
        int[] even = new Budget { Fraction = 0.5 }.Resolve(calibration);
        int[] shared = new Budget { Fraction = 0.5, IsShared = true }.Resolve(calibration);
        long Count(int[] hidden) => (network.Architecture with { Hidden = hidden }).ParameterCount;
        double Loss(int[] hidden) => hidden.Select((k, layer) =>
            new BackwardSelector().Select(new SpectralPruning(new SpectralSettings()).Problem(calibration, layer), k).Loss).Sum();

        Assert.True(Count(shared) <= Count(even));
        Assert.True(Loss(shared) <= 1.05 * Loss(even), $"{Loss(shared)} {Loss(even)}"); // the last unit may take one parameter more than needed
    }

    [Fact]
    public void A_shared_budget_is_nearly_the_best_of_all_pairs_of_sizes()
    {
        int[] shared = new Budget { Fraction = 0.5, IsShared = true }.Resolve(calibration);
        double[][] losses =
        [
            .. network.Architecture.Hidden.Select((_, layer) => new BackwardSelector()
                .Select(new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Adjoint }).Problem(calibration, layer), 1)
                .Path.Select(step => step.Loss).ToArray()),
        ];
        double Loss(int first, int second) => losses[0][12 - first] + losses[1][7 - second];
        long Count(int first, int second) => (network.Architecture with { Hidden = [first, second] }).ParameterCount;
        double best = double.PositiveInfinity;
        for (int first = 1; first <= 12; first++)
            for (int second = 1; second <= 7; second++)
                if (Count(first, second) <= Count(6, 4)) best = Math.Min(best, Loss(first, second));

        // Greedy steps end at most one unit of either layer beside the optimum.
        Assert.True(Loss(shared[0], shared[1]) <= 1.1 * best, $"{Loss(shared[0], shared[1])} {best}");
    }

    [Fact]
    public void Budgets_at_their_borders_are_taken()
    {
        Assert.Equal([1, 1], new Budget { Keep = [1] }.Resolve(calibration));
        Assert.Equal([12, 7], new Budget { Keep = [12, 7] }.Resolve(calibration));
        Assert.Equal([12, 7], new Budget { Fraction = 1 }.Resolve(calibration));
        Assert.Equal([12, 7], new Budget { Trace = 1 }.Resolve(calibration));
    }

    [Fact]
    public void Impossible_budgets_are_refused()
    {
        foreach (Budget budget in (Budget[])
            [
                new(),
                new() { Keep = [3], Fraction = 0.5 },
                new() { Keep = [0] },
                new() { Keep = [8] },
                new() { Keep = [1, 1, 1] },
                new() { Fraction = 0 },
                new() { Fraction = 1.1 },
                new() { Fraction = double.NaN },
                new() { Trace = 0 },
                new() { Trace = 1.1 },
                new() { Lambda = 0 },
                new() { Lambda = -1 },
                new() { Lambda = double.PositiveInfinity },
                new() { Keep = [3], RoundTo = 0 },
            ])
        {
            Assert.Throws<InvalidCallException>(() => budget.Resolve(calibration));
        }
    }

    [Theory]
    [InlineData(0.09, 1)]
    [InlineData(0.31, 1)]
    [InlineData(0.31, 4)]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    public void Bisection_finds_the_least_size_within_the_tolerance(double tolerance, int roundTo)
    {
        // A metric of 1 - 0.1 (units missing in layer 0): the least k is 12 - 10 tolerance.
        List<int> tried = [];
        ToleranceSearch search = ToleranceSearch.OnMetric(
            calibration,
            keep => TestNetworks.Make(host, Cell.RnnTanh, [.. keep], Readout.Last),
            made => new Evaluation("accuracy", 1 - 0.1 * (12 - made.Architecture.Hidden[0]), 0, 1));
        search.Tried = (keep, _) => tried.Add(keep[0]);

        int least = Math.Max(1, (int)Math.Ceiling(12 - 10 * tolerance - 1e-9));
        Assert.Equal(Math.Min(12, (least + roundTo - 1) / roundTo * roundTo), search.Find(tolerance, roundTo)[0]);
        Assert.True(tried.Count <= 4); // log2(12), rounded up
        Assert.Throws<InvalidCallException>(() => search.Find(-1));
    }

    [Fact]
    public void Losses_of_a_plan_are_measured()
    {
        PruningPlan plan = new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Paper, Ridge = 1e-9 }).Plan(calibration, [5, 3]);
        Matrix gram = calibration.Gram(0);
        SelectionProblem input = new(gram, Ridge.Uniform(gram, 1e-9), Criterion.Input(12));
        SelectionProblem output = new(gram, input.Ridge, Criterion.Output(calibration.Weights.Consumers(0)));

        FoldLoss loss = FoldLoss.Compute(calibration, plan, 0);

        // With a vanishing ridge the measured loss is Tr R_J.
        Close.Equal(input.Loss(plan.Axes[0].Kept), loss.Input, 1e-6, 0, "L_A");
        Close.Equal(output.Loss(plan.Axes[0].Kept), loss.Output, 1e-6, 0, "L_B");
        FoldLoss none = FoldLoss.Compute(calibration, new PruningPlan("none", [UnitFold.None(12, plan.Axes[0].Kept), UnitPlan.Whole(7)]), 0);
        Close.Equal(Enumerable.Range(0, 12).Except(plan.Axes[0].Kept).Sum(j => gram[j, j]), none.Input, 1e-12, 0, "L_A without reconstruction");
        PruningPlan affine = new(
            "affine", [UnitFold.Affine(calibration.CentredGram(0), calibration.Mean(0), 1e-9, plan.Axes[0].Kept), UnitPlan.Whole(7)]);
        Assert.True(FoldLoss.Compute(calibration, affine, 0).Input < loss.Input, "an intercept can only help");
    }
}
