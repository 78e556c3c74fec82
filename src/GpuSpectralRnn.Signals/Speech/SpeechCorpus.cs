using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>A recording of a corpus.</summary>
/// <param name="Name">Its path in the corpus, with slashes.</param>
/// <param name="Label">What is said: its class; null where nothing tells.</param>
/// <param name="Speaker">Who says it; null where the name does not tell.</param>
/// <param name="Take">Its number among those of a speaker and a word, of FSDD; else -1.</param>
public sealed record Recording(string Name, string? Label, string? Speaker, int Take);

/// <summary>
/// The WAV files of a folder or archive and what their names tell: the names of FSDD (<c>7_jackson_32.wav</c>: digit, speaker, number), else the
/// folder that each lies in as its class, as in Speech Commands (Warden, arXiv 1804.03209), whose speakers are what stands before <c>_nohash_</c>.
/// The folder <c>_background_noise_</c> is no class.
/// </summary>
public sealed partial class SpeechCorpus
{
    private const string NoiseFolder = "_background_noise_", ValidList = "validation_list.txt", TestList = "testing_list.txt", NoHash = "_nohash_";

    private SpeechCorpus(string path, RecordingStore store)
    {
        (Path, Store) = (path, store);
        string[] sounds = [.. store.Names.Where(IsSound)];
        Backgrounds = [.. sounds.Where(IsBackground)];
        string[] spoken = [.. sounds.Where(name => !IsBackground(name))];
        HasTakes = spoken.Length > 0 && spoken.All(name => DigitName().IsMatch(FileName(name)));
        bool hasClasses = spoken.Select(FolderOf).Distinct().Skip(1).Any();
        Recordings = [.. spoken.Select(name => Describe(name, hasClasses))];
        Classes = [.. Recordings.Select(recording => recording.Label).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        string[] lists = [.. store.Names.Where(name => FileName(name) is ValidList or TestList)];
        Dictionary<string, HashSet<string>> listed = new() { [ValidList] = [], [TestList] = [] };
        if (lists.Length == 0) return;
        store.Read(lists.Contains, (name, content) =>
        {
            string root = name[..^FileName(name).Length];
            foreach (string line in Encoding.UTF8.GetString(content)
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                listed[FileName(name)].Add(root + line);
        });
        (ListedValid, ListedTest) = (listed[ValidList], listed[TestList]);
    }

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>All recordings but those of background noise, in ordinal order of their names.</summary>
    public IReadOnlyList<Recording> Recordings { get; }

    /// <summary>The names of the recordings of background noise.</summary>
    public IReadOnlyList<string> Backgrounds { get; }

    /// <summary>The classes, in ordinal order.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Whether all names are those of FSDD.</summary>
    public bool HasTakes { get; }

    /// <summary>Whether the corpus lists its validation and test parts itself, as Speech Commands does.</summary>
    public bool HasLists => ListedValid.Count + ListedTest.Count > 0;

    /// <summary>Names of <c>validation_list.txt</c>.</summary>
    public IReadOnlySet<string> ListedValid { get; } = new HashSet<string>();

    /// <summary>Names of <c>testing_list.txt</c>.</summary>
    public IReadOnlySet<string> ListedTest { get; } = new HashSet<string>();

    internal RecordingStore Store { get; }

    /// <summary>Lists what is there; sound is read later.</summary>
    /// <param name="path">A folder, a .tar or .tar.gz, or one WAV file.</param>
    /// <exception cref="InvalidCallException">The path does not exist or holds no WAV file.</exception>
    /// <exception cref="BrokenFileException">The archive is damaged or dangerous.</exception>
    public static SpeechCorpus Open(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path))
            throw new InvalidCallException($"{path} does not exist; name a folder, an archive or a WAV file.");
        SpeechCorpus corpus = new(path, RecordingStore.Open(path));
        return corpus.Recordings.Count > 0 ? corpus
            : throw new InvalidCallException($"{path} holds no WAV files; name a folder or an archive (.tar.gz) that does.");
    }

    /// <summary>Refuses a corpus that nothing can be learnt from.</summary>
    /// <exception cref="InvalidCallException">Names tell no classes, or less than two, or a class has a single recording.</exception>
    internal void CheckClasses()
    {
        if (Recordings.FirstOrDefault(recording => recording.Label is null) is { } unknown)
            throw new InvalidCallException(
                $"{Path}: nothing tells the class of {ForeignText.Show(unknown.Name)}; lay recordings in folders named by their classes, " +
                "or name them as FSDD does (7_jackson_32.wav).");
        IGrouping<string?, Recording>[] classes = [.. Recordings.GroupBy(recording => recording.Label)];
        if (classes.Length < 2)
            throw new InvalidCallException($"{Path} has recordings of one class only, {ForeignText.Show(classes[0].Key!)}; give two or more.");
        if (classes.FirstOrDefault(one => one.Count() == 1) is { } single)
            throw new InvalidCallException(
                $"{Path}: the class {ForeignText.Show(single.Key!)} has one recording, which cannot be both learnt from and tested on; " +
                "add some, or take its folder out.");
    }

    private static bool IsSound(string name) =>
        name.EndsWith(".wav", StringComparison.OrdinalIgnoreCase) && !FileName(name).StartsWith("._", StringComparison.Ordinal);

    private static bool IsBackground(string name) => name.Split('/').Contains(NoiseFolder);

    private static string FileName(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static string FolderOf(string name)
    {
        string[] parts = name.Split('/');
        return parts.Length > 1 ? parts[^2] : "";
    }

    private Recording Describe(string name, bool hasClasses)
    {
        string file = FileName(name);
        if (HasTakes)
        {
            Match match = DigitName().Match(file);
            int take = int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
            return new Recording(name, match.Groups[1].Value, match.Groups[2].Value, take);
        }

        int speaker = file.IndexOf(NoHash, StringComparison.Ordinal);
        string folder = FolderOf(name);
        return new Recording(name, hasClasses && folder.Length > 0 ? folder : null, speaker > 0 ? file[..speaker] : null, -1);
    }

    [GeneratedRegex(@"^([0-9])_([^_]+)_([0-9]{1,9})\.wav$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex DigitName();
}
