using System.Diagnostics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>One run of a refinement.</summary>
/// <param name="Rate">The peak of its one-cycle schedule.</param>
/// <param name="Steps">Its optimiser steps.</param>
/// <param name="Divergence">What it came to on the inputs held apart; infinite where it diverged.</param>
public sealed record RefinementRun(double Rate, int Steps, double Divergence);

/// <summary>What a refinement came to.</summary>
/// <param name="Best">The closest candidate, which may be the start.</param>
/// <param name="Before">The start's divergence on the inputs held apart.</param>
/// <param name="After">The best one's.</param>
/// <param name="Runs">All runs, in their order.</param>
/// <param name="Seconds">The time of all of it.</param>
public sealed record RefinementResult<T>(T Best, double Before, double After, IReadOnlyList<RefinementRun> Runs, double Seconds)
{
    /// <summary>For example <c>refinement: KL 0.152 -> 0.0214 on the inputs to choose by; 2 x 500 steps, best rate 0.02, in 6.1 s</c>.</summary>
    public override string ToString()
    {
        string gain = After < Before ? $"{Evaluation.Shown(Before)} -> {Evaluation.Shown(After)}" : $"{Evaluation.Shown(Before)}, kept as it was";
        string best = After < Before ? $", best rate {Runs.MinBy(run => run.Divergence)!.Rate:0.##e+0}" : "";
        return $"{gain} on the inputs to choose by; {Runs.Sum(run => run.Steps)} steps in {Runs.Count} runs{best}, {Seconds:0.0} s";
    }
}

/// <summary>
/// Refinement without labels by a rate that it finds itself, whatever is refined (docs/method.md, section 7.5): one run at each rate of a ladder from
/// the highest down, until a lower one is worse than the one before, judged on inputs that no run sees; the start always stays a candidate. A budget
/// that is no number of steps then goes on from the best at its rate while that clearly helps.
/// </summary>
/// <typeparam name="T">A candidate.</typeparam>
public abstract class RateLadder<T>
    where T : class
{
    /// <summary>Optimiser steps of a run where the work of one is small, and at least; multiply-adds of the first run.</summary>
    private const int MostSteps = 500, FewestSteps = 50;
    private const double WorkOfRun = 4e11;

    /// <summary>Runs beyond the ladder at most, and by how much each must lessen the divergence for another to follow.</summary>
    private const int MoreRuns = 4;
    private const double StandsStill = 0.05;

    /// <summary>The training settings of a run: Adam, one cycle that rises over 30 % of the steps, the gradients limited to 1.</summary>
    protected static TrainingSettings Settings(double rate, ulong seed = 1) => new()
    {
        LearningRate = rate,
        Schedule = new Schedule { Kind = ScheduleKind.OneCycle, RisingShare = 0.3 },
        Clip = 1,
        Seed = seed,
    };

    /// <summary>
    /// The rates to try. With bounded states a smaller network takes a higher rate; a ReLU recurrence, whose states may grow without bound, takes lower
    /// ones, in proportion for more than 28 steps, because a change of its weights acts at every step.
    /// </summary>
    /// <param name="isBounded">Whether all states are bounded.</param>
    /// <param name="units">The units of the widest recurrence.</param>
    /// <param name="steps">The time steps that gradients go back through.</param>
    protected static double[] RatesOf(bool isBounded, int units, int steps)
    {
        double highest = isBounded ? 0.08 / Math.Sqrt(units) : 2e-3 * Math.Min(1, 28.0 / steps);
        return isBounded ? [highest, highest / 3, highest / 8] : [highest, highest / 3];
    }

    /// <summary>The rates, highest first.</summary>
    protected abstract IReadOnlyList<double> Rates { get; }

    /// <summary>Multiply-adds of one optimiser step.</summary>
    protected abstract double WorkOfStep { get; }

    /// <summary>Multiply-adds that are done once for all runs of so many steps.</summary>
    protected virtual double WorkOnce(int steps) => 0;

    /// <summary>
    /// Work that is done once for all runs: the seconds that went into it so far, and those by which it lengthens each of how many steps to come.
    /// </summary>
    protected virtual (double Spent, double PerStep, int Steps) Once => (0, 0, 0);

    /// <summary>A run of so many steps up to a rate; null where it diverged. Every call with the same arguments gives the same.</summary>
    /// <param name="from">The start, which stays as it is.</param>
    /// <param name="rate">The peak rate.</param>
    /// <param name="steps">Optimiser steps.</param>
    protected abstract T? Run(T from, double rate, int steps);

    /// <summary>The divergence from the original on inputs that no run sees.</summary>
    protected abstract double Judge(T candidate);

    /// <summary>Climbs the ladder.</summary>
    /// <param name="start">The first candidate.</param>
    /// <param name="budget">How much work it may be; not off.</param>
    /// <param name="note">Receives one line that says how long it will take, before it begins.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public RefinementResult<T> Climb(T start, RefinementBudget budget, Action<string>? note = null)
    {
        if (budget.IsOff) throw new ArgumentException("The budget is off; do not refine.", nameof(budget));
        Stopwatch watch = Stopwatch.StartNew();
        double before = Loss(start), perStep = Time(start);
        int steps = budget.Steps
            ?? (budget.Seconds is { } all
                ? (int)Math.Clamp(all / perStep / Rates.Count, 1, MostSteps)
                : StepsOfRun());
        int more = budget.Steps is null ? MoreRuns : 0;
        double once = Once.PerStep * Math.Min(steps, Once.Steps);
        double most = budget.Seconds ?? once + (perStep * steps * (Rates.Count + more));
        double least = budget.Seconds ?? once + (perStep * steps * Math.Min(2, Rates.Count));
        note?.Invoke(
            $"refining without labels: {steps} steps at each of up to {Rates.Count} rates{(more > 0 ? ", more while it helps" : "")}, "
            + $"{(most - least < 1 ? $"about {most:0.#} s" : $"about {least:0} to {most:0} s")}");

        List<RefinementRun> runs = [];
        (T best, double closest, double rate, double previous) = (start, before, 0, double.PositiveInfinity);
        foreach (double rung in Rates)
        {
            double loss = Try(start, rung, steps);
            if (loss > previous) break; // a lower rate is worse than the one before
            previous = loss;
        }

        for (int run = 0; run < more && closest < before; run++)
        {
            int next = budget.Seconds is { } limit ? (int)Math.Min(MostSteps, (limit - watch.Elapsed.TotalSeconds) / perStep) : steps;
            double so = closest;
            if (next < FewestSteps) break;
            Try(best, rate, next);
            if (budget.Seconds is null && closest > (1 - StandsStill) * so) break;
        }

        return new RefinementResult<T>(best, before, closest, runs, watch.Elapsed.TotalSeconds);

        double Try(T from, double peak, int length)
        {
            T? candidate = Run(from, peak, length);
            double loss = candidate is null ? double.PositiveInfinity : Loss(candidate);
            runs.Add(new RefinementRun(peak, length, loss));
            if (loss < closest) (best, closest, rate) = (candidate!, loss, peak);
            return loss;
        }
    }

    // As many as the first run's work allows, within bounds.
    private int StepsOfRun()
    {
        int steps = MostSteps;
        while (steps > FewestSteps && WorkOnce(steps) + (steps * WorkOfStep) > WorkOfRun) steps--;
        return steps;
    }

    private double Loss(T candidate) => Judge(candidate) is var loss && double.IsNaN(loss) ? double.PositiveInfinity : loss;

    // Seconds of an optimiser step, by a short run after one that warms up, without what is done but once.
    private double Time(T start)
    {
        const int few = 3;
        Run(start, Rates[^1], 1);
        double before = Once.Spent;
        Stopwatch watch = Stopwatch.StartNew();
        Run(start, Rates[^1], few);
        return Math.Max(0, watch.Elapsed.TotalSeconds - (Once.Spent - before)) / few;
    }
}
