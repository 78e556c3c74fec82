using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>The built-in digits.</summary>
internal sealed class DigitsFormat : DataFormat
{
    public override string Name => "digits";

    public override string About => "built-in handwritten-like digits, 28x28, drawn from the seed (8000 to train, 2000 to test)";

    public override IReadOnlyList<string> Options => [nameof(SequenceVerb.DataSeed), nameof(SequenceVerb.View)];

    public override DataParts Open(DataCall call)
    {
        ImageView view = call.View;
        return DataParts.Drawn(8000, 2000, (count, part) => Digits.Create(count, call.Seed, view, part)) with { View = view };
    }
}
