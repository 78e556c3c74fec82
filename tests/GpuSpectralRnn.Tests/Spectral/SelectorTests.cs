using CsCheck;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public class SelectorTests
{
    private static readonly ISelector[] All =
    [
        new GreedySelector(), new BackwardSelector(), new SwapSelector(new GreedySelector()), new SwapSelector(new BackwardSelector()),
        new SwapSelector(SampledSelector.Uniform(3)), SampledSelector.Uniform(1), new ExhaustiveSelector(),
    ];

    private static readonly string[] Criteria = ["input", "output", "adjoint", "mixed"];

    private static readonly Gen<(int Units, string Criterion, int Seed)> Problems =
        Gen.Select(Gen.Int[1, 12], Gen.OneOf(Criteria), Gen.Int[0, 10000]);

    [Fact]
    public void Greedy_takes_the_best_unit_at_every_step_and_its_losses_equal_the_definition() => Problems.Sample(
        (units, criterion, seed) =>
        {
            SelectionProblem problem = Problem(units, criterion, seed);
            Selection selection = new GreedySelector().Select(problem, units);

            Assert.Equal(units, selection.Order.Distinct().Count());
            for (int k = 1; k <= units; k++)
            {
                int[] before = [.. selection.Order.Take(k - 1)];
                double best = Enumerable.Range(0, units).Except(before).Min(j => problem.Loss([.. before, j]));
                double loss = selection.Path[k].Loss;

                // What is left of a loss by subtraction carries the rounding of the whole, amplified by the condition of about 10^4 (ridge 1e-4).
                Close.Equal(problem.Loss([.. selection.Order.Take(k)]), loss, 1e-10, 1e-11 * problem.WholeLoss, $"loss of {k} units");
                Close.Equal(best, loss, 1e-10, 1e-11 * problem.WholeLoss, $"best loss of {k} units");
            }
        },
        iter: 100);

    [Fact]
    public void Backward_throws_out_the_cheapest_unit_at_every_step() => Problems.Sample(
        (units, criterion, seed) =>
        {
            SelectionProblem problem = Problem(units, criterion, seed);
            Selection selection = new BackwardSelector().Select(problem, 1);

            List<int> kept = [.. Enumerable.Range(0, units)];
            Close.Equal(problem.Loss([.. kept]), selection.Path[0].Loss, 1e-10, 1e-11 * problem.WholeLoss, "loss of all units"); // as below
            for (int step = 0; step < units - 1; step++)
            {
                double cheapest = kept.Min(j => problem.Loss([.. kept.Where(i => i != j)]));
                kept.Remove(selection.Order[step]);
                double loss = selection.Path[step + 1].Loss;
                Assert.Equal(kept.Count, selection.Path[step + 1].Kept);
                Close.Equal(problem.Loss([.. kept]), loss, 1e-10, 1e-11 * problem.WholeLoss, $"loss of {kept.Count} units");
                Close.Equal(cheapest, loss, 1e-10, 1e-11 * problem.WholeLoss, $"least loss of {kept.Count} units"); // as above
            }

            Assert.Equal(kept, selection.Kept);
        },
        iter: 100);

    // A set in order, its loss by the definition, no better than the best of all sets; a swap search no worse than its start, and no exchange left
    // that lowers the loss.
    [Fact]
    public void Every_selector_reports_what_it_keeps_and_none_beats_the_exhaustive_one() => Problems.Sample(
        (units, criterion, seed) =>
        {
            SelectionProblem problem = Problem(units, criterion, seed);
            int keep = 1 + seed % units;
            double rounding = 1e-11 * problem.WholeLoss, best = new ExhaustiveSelector().Select(problem, keep).Loss;
            foreach (ISelector selector in All)
            {
                Selection selection = selector.Select(problem, keep);
                Assert.Equal(keep, selection.Kept.Distinct().Count());
                Assert.Equal(selection.Kept.Order(), selection.Kept);
                Close.Equal(problem.Loss(selection.Kept), selection.Loss, 1e-12, rounding, selector.Name);
                Assert.True(selection.Loss >= best - rounding, selector.Name);
            }

            foreach (ISelector start in (ISelector[])[new GreedySelector(), new BackwardSelector(), SampledSelector.Uniform((ulong)seed)])
            {
                Selection swapped = new SwapSelector(start).Select(problem, keep);
                Assert.True(swapped.Loss <= start.Select(problem, keep).Loss + rounding, start.Name);
                foreach (int p in swapped.Kept)
                {
                    foreach (int q in Enumerable.Range(0, units).Except(swapped.Kept))
                        Assert.True(problem.Loss([.. swapped.Kept.Where(i => i != p), q]) >= swapped.Loss - 1e-10 * problem.WholeLoss, start.Name);
                }
            }
        },
        iter: 100);

    [Fact]
    public void Greedy_is_within_ten_per_cent_of_the_best_and_swapping_within_two()
    {
        double greedyExcess = 0, swapExcess = 0;
        int cases = 0;
        foreach (int units in new[] { 6, 9, 12, 14 })
        {
            foreach (string criterion in Criteria)
            {
                for (int seed = 0; seed < 3; seed++)
                {
                    SelectionProblem problem = Problem(units, criterion, seed);
                    double best = new ExhaustiveSelector().Select(problem, units / 3).Loss;
                    greedyExcess += new GreedySelector().Select(problem, units / 3).Loss / best - 1;
                    swapExcess += new SwapSelector(new GreedySelector()).Select(problem, units / 3).Loss / best - 1;
                    cases++;
                }
            }
        }

        // Means over 48 random problems.
        Assert.InRange(greedyExcess / cases, 0, 0.10);
        Assert.InRange(swapExcess / cases, 0, 0.02);
    }

    [Theory]
    [InlineData(23)]
    [InlineData(200)] // in parallel
    public void A_tableau_after_many_moves_equals_a_fresh_one(int units)
    {
        SelectionProblem problem = Problem(units, "adjoint", seed: 4);
        SweepTableau moved = new(problem, [], movesKept: true, movesDropped: true);
        Random random = new(1);
        for (int move = 0; move < 60; move++) moved.Move(random.Next(units));
        int[] kept = moved.Kept(), dropped = [.. Enumerable.Range(0, units).Except(kept)];
        SweepTableau fresh = new(problem, kept, movesKept: true, movesDropped: true);

        // Condition numbers of about 10^4 (ridge 1e-4) times rounding, times the moves.
        double[] Changes(SweepTableau tableau) => [.. Enumerable.Range(0, units).Select(tableau.Change)];
        Close.Equal(Changes(fresh), Changes(moved), 1e-8, 1e-10 * problem.WholeLoss, "changes");
        Close.Equal(fresh.Exchanges(kept, dropped).Data, moved.Exchanges(kept, dropped).Data, 1e-8, 1e-10 * problem.WholeLoss, "exchanges");
        double loss = problem.Loss(kept);
        double exchanged = problem.Loss([.. kept[1..], dropped[0]]) - loss;
        Close.Equal(exchanged, moved.Exchanges(kept, dropped)[0, 0], 1e-8, 1e-10 * problem.WholeLoss, "first exchange");
    }

    [Fact]
    public void Duplicated_units_compress_without_loss()
    {
        // 6 distinct units, each 3 times, two of the copies scaled.
        Matrix distinct = RandomMatrix.Uniform(60, 6, 8), states = new(60, 18);
        for (int t = 0; t < 60; t++)
            for (int i = 0; i < 18; i++) states[t, i] = distinct[t, i % 6] * (1 + i / 6);
        Matrix gram = RandomMatrix.Moments(states);
        SelectionProblem problem = new(gram, Ridge.Uniform(gram, 1e-12), Criterion.Input(18));

        foreach (ISelector selector in new ISelector[] { new GreedySelector(), new BackwardSelector(), new SwapSelector(new GreedySelector()) })
        {
            Selection selection = selector.Select(problem, 6);
            Assert.Equal(6, selection.Kept.Select(i => i % 6).Distinct().Count());

            // What the ridge leaves: about its own size per unit.
            Assert.InRange(selection.Loss, -1e-13 * problem.WholeLoss, 1e-10 * problem.WholeLoss);
            Matrix a = Reconstruction.Compute(gram, problem.Ridge, selection.Kept);
            Matrix error = states - Matrix.Product(states.SelectColumns(selection.Kept), a, transposeB: true);
            Assert.InRange(error.Data.Max(Math.Abs), 0, 1e-9);
        }
    }

    [Fact]
    public void Copies_without_a_ridge_are_told_apart_as_long_as_there_are_others()
    {
        Matrix gram = RandomMatrix.Moments(RandomMatrix.Uniform(30, 4, 1).SelectColumns([0, 1, 2, 3, 0, 1]));
        SelectionProblem problem = new(gram, new double[6], Criterion.Input(6));

        Assert.Equal(4, new GreedySelector().Select(problem, 4).Kept.Select(i => i % 4).Distinct().Count());
        Assert.Equal(4, new SwapSelector(new GreedySelector()).Select(problem, 4).Kept.Select(i => i % 4).Distinct().Count());
        Assert.True(double.IsFinite(new SwapSelector(new GreedySelector()).Select(problem, 3).Loss));
        Assert.Contains("`ridge`", Assert.Throws<InvalidCallException>(() => new GreedySelector().Select(problem, 5)).Message);
        Assert.Contains("`ridge`", Assert.Throws<InvalidCallException>(() => new BackwardSelector().Select(problem, 3)).Message);
    }

    [Fact]
    public void A_dead_layer_keeps_any_units_at_no_loss()
    {
        Matrix dead = new(6, 6);
        SelectionProblem problem = new(dead, Ridge.Uniform(dead, 1e-4), Criterion.Paper(dead, RandomMatrix.Uniform(2, 6, 1), 0.5));

        foreach (ISelector selector in All)
        {
            Selection selection = selector.Select(problem, 2);
            Assert.Equal(2, selection.Kept.Distinct().Count());
            Assert.Equal(0, selection.Loss);
        }

        SelectionProblem bare = new(dead, Ridge.Uniform(dead, 0), Criterion.Input(6));
        Assert.All(All, selector => Assert.Contains("`ridge`", Assert.Throws<InvalidCallException>(() => selector.Select(bare, 2)).Message));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(6)]
    public void Impossible_numbers_of_units_are_refused(int keep)
    {
        SelectionProblem problem = Problem(5, "input", seed: 1);

        foreach (ISelector selector in All)
            Assert.Contains($"`keep` {keep}", Assert.Throws<InvalidCallException>(() => selector.Select(problem, keep)).Message);
    }

    [Fact]
    public void Not_a_number_and_misfits_are_refused()
    {
        Matrix gram = RandomMatrix.Gram(3, 1), broken = gram.Clone();
        broken[1, 1] = double.NaN;

        Assert.Throws<RunFailedException>(() => new SelectionProblem(broken, new double[3], Criterion.Input(3)));
        Assert.Throws<RunFailedException>(() => new SelectionProblem(gram, new double[3], broken));
        Assert.Throws<ArgumentException>(() => new SelectionProblem(gram, new double[2], Criterion.Input(3)));
        Assert.Throws<InvalidCallException>(() => new ExhaustiveSelector().Select(Problem(21, "input", 1), 2));
    }

    [Fact]
    public void Draws_repeat_by_seed_follow_the_scores_and_know_their_losses()
    {
        SelectionProblem problem = Problem(8, "input", seed: 7);
        double[] scores = [0, 0.1, 0.6, 0.1, 0.1, 0.1, 0, 0];
        int[] counts = new int[8];
        for (ulong seed = 0; seed < 2000; seed++) counts[SampledSelector.Leverage(scores, seed).Select(problem, 1).Kept[0]]++;

        // 5 standard deviations of 2,000 draws.
        Assert.Equal(1200, counts[2], 110.0);
        Assert.Equal(200, counts[4], 70.0);
        Assert.Equal(0, counts[0] + counts[6] + counts[7]);

        Selection first = SampledSelector.Uniform(5).Select(problem, 5), again = SampledSelector.Uniform(5).Select(problem, 5);
        Assert.Equal(first.Order, again.Order);
        Assert.NotEqual(first.Order, SampledSelector.Uniform(6).Select(problem, 5).Order);
        for (int k = 1; k <= 5; k++) Close.Equal(problem.Loss([.. first.Order.Take(k)]), first.Path[k].Loss, 1e-10, 0, $"loss of {k} draws");
        Assert.Equal(8, SampledSelector.Leverage(scores, 1).Select(problem, 8).Kept.Distinct().Count());
    }

    private static SelectionProblem Problem(int units, string criterion, int seed)
    {
        Matrix gram = RandomMatrix.Gram(units, 10 * seed), consumers = RandomMatrix.Uniform(3, units, seed);
        Matrix adjoint = RandomMatrix.Gram(units, 10 * seed + 5);
        return new SelectionProblem(gram, Ridge.Uniform(gram, 1e-4), criterion switch
        {
            "input" => Criterion.Input(units),
            "output" => Criterion.Output(consumers),
            "adjoint" => adjoint,
            _ => Criterion.Normalised(gram, (0.5, adjoint), (0.3, Criterion.Output(consumers)), (0.2, Criterion.Input(units))),
        });
    }
}
