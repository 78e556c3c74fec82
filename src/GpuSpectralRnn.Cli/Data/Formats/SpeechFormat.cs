using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Signals.Audio;
using GpuSpectralRnn.Signals.Features;
using GpuSpectralRnn.Signals.Speech;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Recordings of words.</summary>
internal sealed class SpeechFormat : DataFormat
{
    private static readonly string[] Describing =
    [
        nameof(SequenceVerb.Features), nameof(SequenceVerb.SampleRate), nameof(SequenceVerb.Frame), nameof(SequenceVerb.Hop),
        nameof(SequenceVerb.Transform),
        nameof(SequenceVerb.Bands), nameof(SequenceVerb.Coefficients), nameof(SequenceVerb.Seconds), nameof(SequenceVerb.Normalize),
    ];

    public override string Name => "speech";

    public override string About => "WAV files in folders by class, or named as FSDD's, as log-mel bands or MFCC";

    public override IReadOnlyList<string> Options =>
    [
        nameof(SequenceVerb.DataFolder), nameof(SequenceVerb.Input), .. Describing, nameof(SequenceVerb.Classes), nameof(SequenceVerb.SplitBy),
        nameof(SequenceVerb.TestSpeakers), nameof(SequenceVerb.ValidSpeakers), nameof(SequenceVerb.NoiseSnr), nameof(SequenceVerb.Noise),
        nameof(SequenceVerb.Cache), nameof(SequenceVerb.DataSeed),
    ];

    public override Cell Cell => Cell.Lstm;

    public override Readout Readout => Readout.Mean;

    public override string Required => "--data speech needs --data-dir DIR, a folder or .tar.gz of WAV files to learn from.";

    public override DataParts Open(DataCall call)
    {
        SequenceVerb options = call.Options;
        SpeechPreparation? known = call.Model?.Data.GetValueOrDefault(SpeechPreparation.Key) is { } note ? SpeechPreparation.FromJson(note) : null;
        FeatureSettings features = Asked(options, known?.Features ?? new FeatureSettings());
        if (options.Coefficients is not null && features.Kind != FeatureKind.Mfcc)
            throw new InvalidCallException("--coefficients belongs to --features mfcc.");
        features.Validate();
        bool normalizes = (options.Normalize ?? "global") switch
        {
            "global" => true,
            "none" => false,
            var other => throw new InvalidCallException($"--normalize {other}: choose global or none."),
        };
        if (known is not null && (features != known.Features || (options.Normalize is not null && normalizes == IsPlain(known.Scale))))
            throw new InvalidCallException(
                $"The model was trained on {known.Features}{(IsPlain(known.Scale) ? "" : ", normalised")}, which the call would change; "
                + "leave the options of features out.");
        NoiseSettings? noise = Noise(call);
        if (options.Input is { } input) return Asking(options, known, input, noise);
        Lazy<SpeechSet> set = new(() => OpenSet(options, known, features, normalizes, noise, call.Note));
        return new(part => options.DataFolder is null ? null : set.Value.Load(part))
        {
            Notes = () => new Dictionary<string, string> { [SpeechPreparation.Key] = set.Value.Preparation.ToJson() },
            Classes = () => known?.Classes ?? set.Value.Classes,
        };
    }

    private static bool IsPlain(BandScale scale) => scale.Mean.All(mean => mean == 0) && scale.Deviation.All(deviation => deviation == 1);

    private static FeatureSettings Asked(SequenceVerb options, FeatureSettings otherwise) => otherwise with
    {
        Kind = options.Features is { } kind ? EnumNames.Parse<FeatureKind>(kind, "--features") : otherwise.Kind,
        Rate = options.SampleRate ?? otherwise.Rate,
        Frame = options.Frame ?? otherwise.Frame,
        Hop = options.Hop ?? otherwise.Hop,
        Transform = options.Transform ?? otherwise.Transform,
        Bands = options.Bands ?? otherwise.Bands,
        Coefficients = options.Coefficients ?? otherwise.Coefficients,
        Seconds = options.Seconds ?? otherwise.Seconds,
    };

    private static NoiseSettings? Noise(DataCall call)
    {
        if (call.Options.NoiseSnr is not { } snr)
            return call.Options.Noise is null ? null : throw new InvalidCallException("--noise belongs to --noise-snr DB.");
        if (!(snr is >= -100 and <= 200)) throw new InvalidCallException($"--noise-snr {snr}: choose a number of decibels from -100 to 200.");
        NoiseKind kind = call.Options.Noise is { } name ? EnumNames.Parse<NoiseKind>(name, "--noise") : NoiseKind.White;
        return new NoiseSettings(snr, kind, call.Seed);
    }

    private static DataParts Asking(SequenceVerb options, SpeechPreparation? known, string input, NoiseSettings? noise)
    {
        if (options.DataFolder is not null) throw new InvalidCallException("--input and --data-dir both name recordings; leave one out.");
        if (known is null)
            throw new InvalidCallException("--input asks a model that was trained on --data speech and knows its features; this one does not.");
        if (noise?.Kind == NoiseKind.Background)
            throw new InvalidCallException("--noise background takes its noise from a set, --data-dir; with --input choose white.");
        if (options.Classes is not null || options.SplitBy is not null || options.TestSpeakers is not null || options.ValidSpeakers is not null)
            throw new InvalidCallException("--classes, --split-by and the speakers belong to --data-dir; --input is read whole.");
        return new(part => part == DataPart.Test ? SpeechSet.LoadInputs(input, known, noise) : null) { Classes = () => known.Classes };
    }

    private static SpeechSet OpenSet(
        SequenceVerb options, SpeechPreparation? known, FeatureSettings features, bool normalizes, NoiseSettings? noise, Action<string>? note)
    {
        SpeechCorpus corpus = SpeechCorpus.Open(options.DataFolder!);
        SplitKind? splitBy = options.SplitBy is { } name ? EnumNames.Parse<SplitKind>(name, "--split-by") : null;
        SplitRule rule = SplitRule.For(corpus, splitBy, ListOption.Parse(options.TestSpeakers), ListOption.Parse(options.ValidSpeakers));
        return new SpeechSet(corpus, rule, new SpeechSetSettings
        {
            Features = features,
            Normalizes = normalizes,
            Preparation = known,
            Classes = ListOption.Parse(options.Classes),
            Noise = noise,
            Cache = (options.Cache ?? FeatureCache.DefaultFolder()) is { } folder && folder != "off" ? new FeatureCache(folder) : null,
            Note = note,
        });
    }
}
