using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>The copying memory problem.</summary>
internal sealed class CopyFormat : DataFormat
{
    public override string Name => "copy";

    public override string About => "synthetic long-range tasks (10,000 to train, 1000 to test)";

    public override IReadOnlyList<string> Options => [nameof(SequenceVerb.Length), nameof(SequenceVerb.DataSeed)];

    public override DataParts Open(DataCall call) =>
        DataParts.Drawn(10_000, 1000, (count, part) => CopyTask.Create(call.Options.Length ?? 20, count, call.Seed, part));
}
