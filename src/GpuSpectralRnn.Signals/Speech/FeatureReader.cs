using System.Diagnostics;
using System.Text.Json;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Signals.Audio;
using GpuSpectralRnn.Signals.Features;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>
/// Reads recordings and computes their features, on the threads that <see cref="Devices.ProcessorThreads"/> allows; or takes them from the cache.
/// </summary>
/// <param name="corpus">Where they lie.</param>
/// <param name="cache">What was computed before; null: nothing is kept.</param>
/// <param name="note">Called with what is worth telling; null: nobody listens.</param>
internal sealed class FeatureReader(SpeechCorpus corpus, FeatureCache? cache, Action<string>? note)
{
    /// <summary>Recordings that are in memory as they are, at a time.</summary>
    private const int Together = 256;

    private readonly Lazy<string> content = new(() => Convert.ToHexStringLower(corpus.Store.ComputeHash()));

    /// <summary>Features [T, F] of recordings, not normalised.</summary>
    /// <param name="names">Which ones.</param>
    /// <param name="settings">How.</param>
    /// <param name="noise">Noise that is added before; null for none.</param>
    /// <returns>The features in the order of the names, and the settings, resolved.</returns>
    public (IReadOnlyList<float[]> Features, FeatureSettings Settings) Read(
        IReadOnlyList<string> names, FeatureSettings settings, NoiseSettings? noise)
    {
        FeatureSettings resolved = settings.Resolve(settings.Rate == 0 ? FirstRate(names[0]) : settings.Rate);
        FeatureExtraction extraction = new(resolved);
        string? key = cache is null
            ? null
            : FeatureCache.Key([content.Value, JsonSerializer.Serialize(resolved), JsonSerializer.Serialize(noise), .. names]);
        if (key is not null && cache!.Find(key, names.Count, resolved.Width) is { } kept) return (kept, resolved);
        IReadOnlyList<float[]> features = Compute(names, extraction, noise is null ? null : new NoiseMixer(noise, Backgrounds(noise, resolved.Rate)));
        if (key is not null && cache!.Keep(key, features, resolved.Width) is { } problem)
            note?.Invoke($"features are not kept for later runs: {problem}");
        return (features, resolved);
    }

    private float[][] Compute(IReadOnlyList<string> names, FeatureExtraction extraction, NoiseMixer? mixer)
    {
        Dictionary<string, int> places = names.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);
        float[][] features = new float[names.Count][];
        List<(string Name, byte[] Content)> waiting = [];
        FeatureExtraction[] own = [extraction, .. Enumerable.Range(1, Math.Max(0, Devices.ProcessorThreads - 1)).Select(_ => extraction.Copy())];
        Stopwatch sinceLine = Stopwatch.StartNew();
        int done = 0;
        note?.Invoke($"features of {names.Count:N0} recordings: {extraction.Settings}");
        corpus.Store.Read(places.ContainsKey, (name, bytes) =>
        {
            waiting.Add((name, bytes));
            if (waiting.Count == Together) Work();
        });
        Work();
        return features;

        void Work()
        {
            Exception?[] faults = new Exception?[waiting.Count];
            Parallel.For(0, own.Length, new ParallelOptions { MaxDegreeOfParallelism = own.Length }, worker =>
            {
                for (int i = worker; i < waiting.Count; i += own.Length)
                {
                    try
                    {
                        (string name, byte[] bytes) = waiting[i];
                        features[places[name]] = Describe(name, bytes, own[worker], mixer);
                    }
                    catch (Exception e) when (e is InvalidCallException or RunFailedException)
                    {
                        faults[i] = e;
                    }
                }
            });
            if (faults.FirstOrDefault(fault => fault is not null) is { } first) throw first;
            done += waiting.Count;
            waiting.Clear();
            if (sinceLine.Elapsed < TimeSpan.FromSeconds(10)) return;
            sinceLine.Restart();
            note?.Invoke($"features of {done:N0} of {names.Count:N0} recordings");
        }
    }

    private float[] Describe(string name, byte[] bytes, FeatureExtraction extraction, NoiseMixer? mixer)
    {
        Sound sound = WavFile.Parse(bytes, corpus.Store.Locate(name));
        float[] samples = extraction.Prepare(sound.Samples, sound.Rate);
        return extraction.Compute(mixer is null ? samples : mixer.Add(name, samples));
    }

    private int FirstRate(string name)
    {
        int rate = 0;
        corpus.Store.Read(name.Equals, (_, bytes) => rate = WavFile.Parse(bytes, corpus.Store.Locate(name)).Rate);
        return rate;
    }

    private List<float[]> Backgrounds(NoiseSettings noise, int rate)
    {
        List<float[]> sounds = [];
        if (noise.Kind != NoiseKind.Background) return sounds;
        SortedDictionary<string, float[]> sorted = new(StringComparer.Ordinal);
        corpus.Store.Read(corpus.Backgrounds.Contains, (name, bytes) =>
        {
            Sound sound = WavFile.Parse(bytes, corpus.Store.Locate(name));
            sorted[name] = Resampler.Resample(sound.Samples, sound.Rate, rate);
        });
        return [.. sorted.Values];
    }
}
