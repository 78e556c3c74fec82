using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>One network of a comparison: a method at a size, from one trained network.</summary>
public sealed record ComparisonRun
{
    /// <summary>The method's name, or <see cref="MethodSpec.Baseline"/>.</summary>
    public required string Method { get; init; }

    /// <summary>The requested units; null for the baseline.</summary>
    public KeepSize? Keep { get; init; }

    /// <summary>Seed of the trained network.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The compressed network.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>Weights that are kept; masked weights do not count.</summary>
    public required WeightCounts Weights { get; init; }

    /// <summary>The metric after compression, before fine-tuning.</summary>
    public required Evaluation Result { get; init; }

    /// <summary>The metric after fine-tuning; null without fine-tuning, NaN where it diverged.</summary>
    public Evaluation? FineTuned { get; init; }

    /// <summary>Measured time of a forward pass per sequence.</summary>
    public required double MillisecondsPerSequence { get; init; }

    /// <summary>Multiply-adds of a forward pass over one sequence of the data that were measured on; null where that is not known.</summary>
    public long? MultiplyAdds { get; init; }

    /// <summary>The sliced network against the masked one of full size; null where nothing was sliced.</summary>
    public Parity? Parity { get; init; }
}

/// <summary>Mean and sample standard deviation over seeds.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Deviation">The sample standard deviation (n - 1 in the denominator); null for a single seed.</param>
public sealed record MeanAndDeviation(double Mean, double? Deviation)
{
    /// <summary>Mean and deviation of one or more values.</summary>
    public static MeanAndDeviation Compute(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        return new MeanAndDeviation(mean, values.Count < 2 ? null : Math.Sqrt(values.Sum(x => (x - mean) * (x - mean)) / (values.Count - 1)));
    }
}

/// <summary>A row of the table: a method at a size over all seeds.</summary>
/// <param name="Runs">One for each seed; at least one.</param>
public sealed record ComparisonRow(IReadOnlyList<ComparisonRun> Runs)
{
    /// <summary>The method's name, or <see cref="MethodSpec.Baseline"/>.</summary>
    public string Method => Runs[0].Method;

    /// <summary>The requested units; null for the baseline.</summary>
    public KeepSize? Keep => Runs[0].Keep;

    /// <summary>The compressed networks.</summary>
    public Graph Graph { get; } = Runs[0].Recipe.Build();

    /// <summary>Their units, group by group (<see cref="Recipe.GroupUnits"/>).</summary>
    public IReadOnlyList<int> Units => Runs[0].Recipe.CountUnits(Graph);

    /// <summary>Multiply-adds of one step where the network reads a single field, else of one sequence.</summary>
    public long? MultiplyAdds => Graph.Fields.Count == 1 ? Graph.MultiplyAddsPerStep : Runs[0].MultiplyAdds;

    /// <summary>Weights that are kept.</summary>
    public WeightCounts Weights => Runs[0].Weights;

    /// <summary>The metric's name.</summary>
    public string Metric => Runs[0].Result.Metric;

    /// <summary>The metric after compression.</summary>
    public MeanAndDeviation Value => MeanAndDeviation.Compute([.. Runs.Select(run => run.Result.Value)]);

    /// <summary>The metric after fine-tuning; null without fine-tuning.</summary>
    public MeanAndDeviation? FineTuned =>
        Runs[0].FineTuned is null ? null : MeanAndDeviation.Compute([.. Runs.Select(run => run.FineTuned!.Value)]);

    /// <summary>Median over the seeds of the measured time of a forward pass per sequence.</summary>
    public double MillisecondsPerSequence => MedianTime.Of(Runs.Select(run => run.MillisecondsPerSequence));
}
