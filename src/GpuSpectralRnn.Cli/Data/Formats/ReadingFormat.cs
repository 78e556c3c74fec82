using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>The built-in questions about drawn texts.</summary>
internal sealed class ReadingFormat : DataFormat
{
    private const int Train = 12_000, Test = 1000;

    public override string Name => "reading";

    public override string About => "built-in questions about drawn texts of who handed what to whom (12,000 to train, 1000 to test)";

    public override IReadOnlyList<string> Options =>
        [nameof(SequenceVerb.DataSeed), nameof(SequenceVerb.ContextLength), nameof(TrainingVerb.Embedding), nameof(TrainingVerb.Spelling)];

    public override int Batch => 32;

    public override Cell Cell => Cell.Lstm;

    public override int Hidden => 48;

    public override double? Rate => 0.003;

    public override DataParts Open(DataCall call)
    {
        ReadingSource source = new(call, part => $"reading ({part.ToString().ToLowerInvariant()})", part => part switch
        {
            DataPart.Train => GeneratedReading.Draw(Train, call.Seed, part),
            DataPart.Test => GeneratedReading.Draw(Test, call.Seed, part),
            _ => null,
        });
        return new(source.Load) { Words = () => source.Vocabulary };
    }
}
