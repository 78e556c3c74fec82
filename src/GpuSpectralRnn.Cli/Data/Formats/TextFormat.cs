using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Texts for language models.</summary>
internal sealed class TextFormat : DataFormat
{
    public override string Name => "text";

    public override string About => "language modelling, by word or by character";

    public override IReadOnlyList<string> Options =>
    [
        nameof(SequenceVerb.TrainText), nameof(SequenceVerb.ValidText), nameof(SequenceVerb.TestText), nameof(SequenceVerb.UnitName),
        nameof(SequenceVerb.VocabularyPath), nameof(SequenceVerb.VocabularySize), nameof(SequenceVerb.Bptt),
        nameof(TrainingVerb.RecipeName), nameof(TrainingVerb.Embedding), nameof(TrainingVerb.TieWeights),
    ];

    public override int Batch => TrainingRecipe.Batch;

    public override Cell Cell => Cell.Lstm;

    public override string Required => "--data text needs --train F, a text to learn from.";

    public override bool TakesTest => true;

    public override DataParts Open(DataCall call)
    {
        if (call.Held is not null && call.Options.ValidText is not null)
            throw new InvalidCallException("--holdout and --valid both name what to watch; leave one out.");
        TextSource text = new(call.Options, call.Model, call.Held);
        return new(text.Load) { Vocabulary = () => text.Vocabulary };
    }
}
