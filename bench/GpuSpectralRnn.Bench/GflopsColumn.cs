using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace GpuSpectralRnn.Bench;

/// <summary>A benchmark parameter that knows how much arithmetic one call does.</summary>
public interface IWork
{
    /// <summary>Floating-point operations of one call.</summary>
    double Operations { get; }
}

/// <summary>Floating-point operations per second at the mean time.</summary>
public sealed class GflopsColumn : IColumn
{
    public string Id => nameof(GflopsColumn);

    public string ColumnName => "GFLOP/s";

    public string Legend => "1e9 floating-point operations per second, by the definition's count of them";

    public ColumnCategory Category => ColumnCategory.Custom;

    public UnitType UnitType => UnitType.Dimensionless;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public bool AlwaysShow => true;

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        double? nanoseconds = summary[benchmarkCase]?.ResultStatistics?.Mean;
        IWork work = benchmarkCase.Parameters.Items.Select(x => x.Value).OfType<IWork>().Single();
        return nanoseconds is { } time ? $"{work.Operations / time:0.0}" : "-";
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public override string ToString() => ColumnName;
}

/// <summary>Adds the column to a class of benchmarks.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class GflopsAttribute() : BenchmarkDotNet.Attributes.ColumnConfigBaseAttribute(new GflopsColumn());
