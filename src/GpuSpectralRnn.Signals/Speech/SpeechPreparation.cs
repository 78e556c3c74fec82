using GpuSpectralRnn.Signals.Features;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>What a network for speech must be told with every recording: it stands in its model file.</summary>
/// <param name="Features">How sound becomes features; rate and transform resolved.</param>
/// <param name="Classes">The names of the classes, in the order of the network's outputs.</param>
/// <param name="Scale">By what features are normalised.</param>
public sealed record SpeechPreparation(FeatureSettings Features, IReadOnlyList<string> Classes, BandScale Scale)
{
    /// <summary>The key of a model's notes on its data under which the preparation stands as JSON.</summary>
    public const string Key = "speech";

    /// <summary>As one line of JSON.</summary>
    public string ToJson() => ModelNote.Write(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote, and checks it.</summary>
    /// <exception cref="RunFailedException">It is damaged.</exception>
    public static SpeechPreparation FromJson(string json) => ModelNote.Read<SpeechPreparation>(json, "features", note => note.IsSound());

    private bool IsSound()
    {
        Features.Validate();
        return Features is { Rate: > 0, Transform: > 0 } && Classes.Count > 0
            && Classes.All(name => name is not null) && Classes.Distinct(StringComparer.Ordinal).Count() == Classes.Count
            && Scale.Mean.Length == Features.Width && Scale.Deviation.Length == Features.Width
            && Scale.Mean.All(float.IsFinite) && Scale.Deviation.All(x => float.IsFinite(x) && x > 0);
    }
}
