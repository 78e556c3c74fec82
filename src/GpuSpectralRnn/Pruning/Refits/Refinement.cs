using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Refinement of a small network without labels: Adam on KL(softmax big || softmax small), of a regression on the squared difference, over the
/// calibration's inputs, and at first on the kept units' states as well (<see cref="StateHints"/>). Inputs of real numbers are seen mixed too
/// (<see cref="MixedInputs"/>). The big network's answers are kept where they fit (<see cref="Teacher"/>). Rates are chosen on
/// <see cref="Calibration.Held"/>, which no step sees.
/// </summary>
public sealed class Refinement : RateLadder<float[]>, IDisposable
{
    /// <summary>Sequences per step.</summary>
    private const int Batch = 64;

    /// <summary>Largest number of outputs of a batch.</summary>
    private const int BatchOutputs = 1 << 24;

    private readonly Calibration calibration;
    private readonly Network student;
    private readonly StateHints? hints;
    private readonly Teacher teacher;
    private readonly DeviceBatches feed;
    private readonly DivergenceMeter meter;
    private readonly double[] rates;
    private readonly long workOfAsking; // for one sequence
    private readonly int sequences;

    private Refinement(Calibration calibration, Network small, PruningPlan? plan)
    {
        this.calibration = calibration;
        Network big = calibration.Network;
        ISequenceData inputs = calibration.Inputs;
        int batch = Batch;
        if (big.Graph.AnswersEveryStep)
            batch = (int)Math.Clamp(BatchOutputs / ((long)inputs.Layout.Steps * big.Graph.Outputs[0].Width), 1, Batch);
        hints = plan is { DropsUnits: true } ? StateHints.Create(calibration, plan) : null;
        student = new Network(hints is null ? small.Recipe : StateHints.Show(small.Graph, big.Recipe.Task), small.Backend);
        student.Parameters.CopyFrom(small.Parameters);
        ISequenceData seen = MixedInputs.CanMix(inputs) ? new MixedInputs(inputs, calibration.Settings.Seed) : inputs;
        feed = new DeviceBatches(seen, small.Backend, batch);
        teacher = new Teacher(big, seen, feed.BatchSize, hints?.Wanted ?? []);
        meter = DivergenceMeter.OfChoice(calibration);
        Recurrent[] cells = [.. student.Graph.Nodes.Select(node => node.Module).OfType<Recurrent>()];
        rates = RatesOf(
            cells.All(module => module.Cell is not (Cell.Irnn or Cell.RnnRelu)),
            cells.Select(module => student.Graph.Axis(module.Axis).Size).DefaultIfEmpty(1).Max(),
            inputs.Layout.Steps);
        (workOfAsking, sequences) = (big.Graph.MultiplyAdds(inputs.Layout), seen.Count);
        WorkOfStep = ((teacher.Keeps ? 0 : workOfAsking) + (3.0 * small.Graph.MultiplyAdds(inputs.Layout))) * feed.BatchSize;
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<double> Rates => rates;

    /// <inheritdoc/>
    protected override double WorkOfStep { get; }

    /// <inheritdoc/>
    protected override double WorkOnce(int steps) =>
        teacher.Keeps ? (double)workOfAsking * Math.Min((long)steps * feed.BatchSize, sequences) : 0;

    /// <inheritdoc/>
    protected override (double Spent, double PerStep, int Steps) Once => teacher.Once;

    /// <summary>Refines a small network in place; it stays as it is where nothing comes closer to the big one.</summary>
    /// <param name="calibration">The big network and the inputs.</param>
    /// <param name="small">On the same backend.</param>
    /// <param name="plan">The plan that it was made by, for hints from the kept units; null for none.</param>
    /// <param name="budget">How much work it may be; null: auto. Off does nothing.</param>
    /// <returns>What it came to; null where the budget is off.</returns>
    /// <exception cref="OperationCanceledException">The calibration was cancelled; the small network is as it was.</exception>
    public static RefinementResult<float[]>? Refine(Calibration calibration, Network small, PruningPlan? plan, RefinementBudget? budget = null)
    {
        budget ??= RefinementBudget.Auto;
        if (budget.IsOff) return null;
        MatrixMemory.Reclaim();
        using Refinement ladder = new(calibration, small, plan);
        RefinementResult<float[]> result = ladder.Climb(small.Parameters.Values.ToArray(), budget, calibration.Settings.Progress);
        small.Parameters.Values.CopyFrom<float>(result.Best);
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        meter.Dispose();
        feed.Dispose();
        teacher.Dispose();
        hints?.Dispose();
        student.Dispose();
    }

    /// <inheritdoc/>
    protected override float[]? Run(float[] from, double rate, int steps)
    {
        TrainingSettings settings = Settings(rate, calibration.Settings.Seed);
        student.Parameters.Values.CopyFrom<float>(from);
        using Optimizer optimizer = new(settings, student.Parameters);
        using LossTotals totals = student.Backend.Loss.CreateTotals();
        DivergenceObjective objective = new(teacher, hints, calibration.Network);
        TrainingStep training = new(student, feed, objective, optimizer, totals);
        for (int step = 0, epoch = 0; step < steps; epoch++)
        {
            feed.RestartShuffled(settings.Seed, epoch);
            while (step < steps && feed.Next())
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                objective.HintWeight = 1 - (float)step / steps;
                training.Run(settings.Schedule.Rate(rate, step, feed.BatchCount, steps), step + 1);
                step++;
            }
        }

        return totals.Read().FirstBadCall >= 0 ? null : student.Parameters.Values.ToArray();
    }

    /// <inheritdoc/>
    protected override double Judge(float[] candidate)
    {
        student.Parameters.Values.CopyFrom<float>(candidate);
        return meter.Measure(student).Divergence;
    }

    // How far the outputs are from the big network's, and the states from those of its kept units.
    private sealed class DivergenceObjective(Teacher teacher, StateHints? hints, Network big) : Objective
    {
        public float HintWeight { get; set; }

        public override void Apply(Network network, DeviceBatches feed, bool isTraining, LossTotals totals)
        {
            teacher.See(feed);
            for (int i = 0; i < big.Graph.Outputs.Count; i++)
            {
                Tensor outputs = network.Output(i);
                OutputDivergence.Add(
                    big, feed.Current, i, teacher.Output(i), outputs, 1f / outputs.Shape.Rows, isTraining ? outputs : null, totals);
            }

            if (isTraining) hints?.Apply(network, teacher, HintWeight);
        }
    }
}
