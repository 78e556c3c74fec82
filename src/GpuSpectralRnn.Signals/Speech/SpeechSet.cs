using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Signals.Audio;
using GpuSpectralRnn.Signals.Features;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>How a set of recordings is read.</summary>
public sealed record SpeechSetSettings
{
    /// <summary>The features; heeded where there is no <see cref="Preparation"/>.</summary>
    public FeatureSettings Features { get; init; } = new();

    /// <summary>Whether features are normalised by the training part; heeded where there is no <see cref="Preparation"/>.</summary>
    public bool Normalizes { get; init; } = true;

    /// <summary>What a model remembers of its set, to read others alike; null: it is made from this set.</summary>
    public SpeechPreparation? Preparation { get; init; }

    /// <summary>The classes to read, others are left out; none: all.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Noise of the parts that are judged, validation and test; the training part stays clean.</summary>
    public NoiseSettings? Noise { get; init; }

    /// <summary>Features of earlier runs; null: none are kept.</summary>
    public FeatureCache? Cache { get; init; }

    /// <summary>Called with what is worth telling while features are computed.</summary>
    public Action<string>? Note { get; init; }
}

/// <summary>
/// A corpus in parts. Its recordings stand in an order that a hash of their names gives, so that any first or last few are a fair sample. Features
/// are computed when a part is asked for.
/// </summary>
public sealed class SpeechSet
{
    private readonly SpeechCorpus corpus;
    private readonly SplitRule rule;
    private readonly SpeechSetSettings settings;
    private readonly Recording[] recordings;
    private readonly FeatureReader reader;
    private readonly Lazy<(SpeechPreparation Preparation, Dictionary<string, float[]> Features)> clean;

    /// <summary>Checks the classes; recordings are read later.</summary>
    /// <param name="corpus">The recordings.</param>
    /// <param name="rule">Their parts.</param>
    /// <param name="settings">How they are read.</param>
    /// <exception cref="InvalidCallException">There are no classes to tell apart, one has a single recording, or one is not known to the
    /// model.</exception>
    public SpeechSet(SpeechCorpus corpus, SplitRule rule, SpeechSetSettings settings)
    {
        (this.corpus, this.rule, this.settings) = (corpus, rule, settings);
        corpus.CheckClasses();
        string[] classes = [.. settings.Preparation?.Classes ?? (settings.Classes.Count > 0 ? settings.Classes : corpus.Classes)];
        if (settings.Preparation is null && settings.Classes.FirstOrDefault(name => !corpus.Classes.Contains(name)) is { } absent)
            throw new InvalidCallException($"{corpus.Path} has no class '{absent}'; it has {string.Join(", ", corpus.Classes.Take(40))}.");
        Classes = classes;
        recordings =
        [
            .. corpus.Recordings.Where(recording => settings.Classes.Count == 0 || settings.Classes.Contains(recording.Label))
                .OrderBy(recording => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(recording.Name))), StringComparer.Ordinal),
        ];
        if (recordings.FirstOrDefault(recording => !classes.Contains(recording.Label)) is { } foreign)
            throw new InvalidCallException(
                $"{corpus.Path}: the class {ForeignText.Show(foreign.Label!)} is none of the model's ({string.Join(", ", classes.Take(40))}); " +
                "read only those with `Classes`.");
        reader = new FeatureReader(corpus, settings.Cache, settings.Note);
        clean = new(ReadClean);
    }

    /// <summary>The classes, in the order of the labels.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>What a model must remember: its own, or what the training part gives.</summary>
    /// <exception cref="BrokenFileException">A recording is damaged.</exception>
    public SpeechPreparation Preparation => settings.Preparation ?? clean.Value.Preparation;

    /// <summary>A part; null where the rule leaves it empty.</summary>
    /// <exception cref="InvalidCallException">The training part lacks a class; or noise is asked for and a recording is silent.</exception>
    /// <exception cref="BrokenFileException">A recording is damaged.</exception>
    public SpeechData? Load(DataPart part)
    {
        Recording[] own = PartOf(part);
        if (own.Length == 0) return null;
        SpeechPreparation preparation = Preparation;
        string[] names = [.. own.Select(recording => recording.Name)];
        IEnumerable<float[]> features = settings.Noise is { } noise && part != DataPart.Train
            ? reader.Read(names, preparation.Features, noise).Features
            : names.Select(name => clean.Value.Features[name]);
        return Create($"{Path.GetFileName(corpus.Path.TrimEnd('/'))} ({part.ToString().ToLowerInvariant()})", own, [.. features], preparation);
    }

    /// <summary>Recordings that a model is asked about, with labels where all of them have one of the model's classes.</summary>
    /// <param name="path">A WAV file, a folder or an archive.</param>
    /// <param name="preparation">What the model remembers.</param>
    /// <param name="noise">Noise that is added; null for none.</param>
    /// <exception cref="InvalidCallException">The path holds no WAV file, or a silent one where noise is asked for.</exception>
    /// <exception cref="BrokenFileException">A recording is damaged.</exception>
    public static SpeechData LoadInputs(string path, SpeechPreparation preparation, NoiseSettings? noise = null)
    {
        SpeechCorpus corpus = SpeechCorpus.Open(path);
        (IReadOnlyList<float[]> features, _) =
            new FeatureReader(corpus, null, null).Read([.. corpus.Recordings.Select(recording => recording.Name)], preparation.Features, noise);
        return Create(Path.GetFileName(path.TrimEnd('/')), corpus.Recordings, features, preparation);
    }

    private static SpeechData Create(string name, IReadOnlyList<Recording> recordings, IReadOnlyList<float[]> features, SpeechPreparation preparation)
    {
        Dictionary<string, int> numbers = preparation.Classes.Select((label, i) => (label, i)).ToDictionary(pair => pair.label, pair => pair.i);
        int[] labels = [.. recordings.Select(recording => recording.Label is { } label ? numbers.GetValueOrDefault(label, -1) : -1)];
        return new SpeechData(
            name,
            [.. recordings.Select(recording => recording.Name)],
            [.. features.Select(preparation.Scale.Apply)],
            preparation.Features.Width,
            labels.Contains(-1) ? null : labels,
            preparation.Classes.Count);
    }

    private Recording[] PartOf(DataPart part) => [.. recordings.Where(recording => rule.PartOf(corpus, recording) == part)];

    private (SpeechPreparation Preparation, Dictionary<string, float[]> Features) ReadClean()
    {
        HashSet<string> training = [.. PartOf(DataPart.Train).Select(recording => recording.Name)];
        HashSet<string?> learnt = [.. recordings.Where(recording => training.Contains(recording.Name)).Select(recording => recording.Label)];
        if (settings.Preparation is null && Classes.FirstOrDefault(label => !learnt.Contains(label)) is { } unseen)
            throw new InvalidCallException(
                $"{corpus.Path}: no recording of the class {ForeignText.Show(unseen)} is in the training part " +
                $"(split by {rule.Kind.ToString().ToLowerInvariant()}); add some, or split otherwise.");
        string[] names = [.. recordings.Select(recording => recording.Name)];
        (IReadOnlyList<float[]> features, FeatureSettings resolved) = reader.Read(names, settings.Preparation?.Features ?? settings.Features, null);
        Dictionary<string, float[]> all = names.Zip(features).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        if (settings.Preparation is { } known) return (known, all);
        BandScale scale = settings.Normalizes
            ? BandScale.Measure(names.Where(training.Contains).Select(name => all[name]), resolved.Width)
            : BandScale.None(resolved.Width);
        return (new SpeechPreparation(resolved, Classes, scale), all);
    }
}
