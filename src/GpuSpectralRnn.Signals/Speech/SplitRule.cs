using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>By what recordings go to the parts.</summary>
public enum SplitKind
{
    /// <summary>FSDD: the recordings 0 to 4 of every speaker and digit are the test part.</summary>
    Index,

    /// <summary>The corpus' own <c>validation_list.txt</c> and <c>testing_list.txt</c>.</summary>
    List,

    /// <summary>
    /// Speech Commands' rule: by a hash of the name, so that a speaker's recordings stay together and a recording where it is when others come.
    /// </summary>
    Hash,

    /// <summary>Whole speakers, by their names.</summary>
    Speaker,
}

/// <summary>Which part a recording belongs to.</summary>
/// <param name="Kind">By what.</param>
/// <param name="TestSpeakers">Of <see cref="SplitKind.Speaker"/>: whom to test on.</param>
/// <param name="ValidSpeakers">Of <see cref="SplitKind.Speaker"/>: whom to watch.</param>
public sealed record SplitRule(SplitKind Kind, IReadOnlyList<string> TestSpeakers, IReadOnlyList<string> ValidSpeakers)
{
    /// <summary>Shares of the hash rule in percent, as Speech Commands has them.</summary>
    private const double ValidShare = 10, TestShare = 10;

    /// <summary>FSDD tests on recordings below this one.</summary>
    private const int FirstTrainingTake = 5;

    private const int Largest = (1 << 27) - 1;

    /// <summary>The rule of a corpus: what is asked for, else what its names and lists suggest.</summary>
    /// <param name="corpus">The corpus.</param>
    /// <param name="splitBy">What is asked for; null: index of FSDD's names, else its lists, else the hash.</param>
    /// <param name="testSpeakers">Whom to test on; some mean <see cref="SplitKind.Speaker"/>.</param>
    /// <param name="validSpeakers">Whom to watch.</param>
    /// <exception cref="InvalidCallException">The corpus has not what the rule goes by, or a speaker is unknown.</exception>
    public static SplitRule For(SpeechCorpus corpus, SplitKind? splitBy, IReadOnlyList<string> testSpeakers, IReadOnlyList<string> validSpeakers)
    {
        SplitKind chosen = splitBy ?? (testSpeakers.Count > 0 ? SplitKind.Speaker
            : corpus.HasTakes ? SplitKind.Index
            : corpus.HasLists ? SplitKind.List
            : SplitKind.Hash);
        if (chosen == SplitKind.Index && !corpus.HasTakes)
            throw new InvalidCallException($"`splitBy` index is for FSDD's names (7_jackson_32.wav), which {corpus.Path} has not; choose hash.");
        if (chosen == SplitKind.List && !corpus.HasLists)
            throw new InvalidCallException($"`splitBy` list: {corpus.Path} has no validation_list.txt or testing_list.txt; choose hash.");
        if (chosen == SplitKind.Speaker) CheckSpeakers(corpus, [.. testSpeakers, .. validSpeakers]);
        else if (testSpeakers.Count + validSpeakers.Count > 0)
            throw new InvalidCallException($"`testSpeakers` and `validSpeakers` belong to `splitBy` speaker.");
        return new SplitRule(chosen, testSpeakers, validSpeakers);
    }

    /// <summary>The part of a recording.</summary>
    /// <param name="corpus">Its corpus.</param>
    /// <param name="recording">The recording.</param>
    public DataPart PartOf(SpeechCorpus corpus, Recording recording) => Kind switch
    {
        SplitKind.Index => recording.Take < FirstTrainingTake ? DataPart.Test : DataPart.Train,
        SplitKind.List => corpus.ListedTest.Contains(recording.Name) ? DataPart.Test
            : corpus.ListedValid.Contains(recording.Name) ? DataPart.Valid
            : DataPart.Train,
        SplitKind.Speaker => TestSpeakers.Contains(recording.Speaker) ? DataPart.Test
            : ValidSpeakers.Contains(recording.Speaker) ? DataPart.Valid
            : DataPart.Train,
        _ => ByHash(recording.Name),
    };

    /// <summary>
    /// The rule of Speech Commands' <c>which_set</c>: SHA-1 of the file's name without what follows <c>_nohash_</c>, as a number modulo 2^27, as a
    /// share of 2^27 - 1 in percent; below 10: validation; below 20: test.
    /// </summary>
    /// <param name="name">The file's name, with or without folders.</param>
    public static DataPart ByHash(string name)
    {
        string file = name[(name.LastIndexOf('/') + 1)..];
        int end = file.IndexOf("_nohash_", StringComparison.Ordinal);
        byte[] hash = SHA1.HashData(Encoding.UTF8.GetBytes(end < 0 ? file : file[..end]));
        long low = 0;
        foreach (byte value in hash.AsSpan(^4)) low = (low << 8) | value;
        double share = (low % (Largest + 1)) * (100.0 / Largest);
        return share < ValidShare ? DataPart.Valid : share < ValidShare + TestShare ? DataPart.Test : DataPart.Train;
    }

    private static void CheckSpeakers(SpeechCorpus corpus, string[] asked)
    {
        HashSet<string> known = [.. corpus.Recordings.Select(recording => recording.Speaker).OfType<string>()];
        if (asked.Length == 0) throw new InvalidCallException("`splitBy` speaker needs `testSpeakers`, the names of those to test on.");
        if (corpus.Recordings.Any(recording => recording.Speaker is null))
            throw new InvalidCallException(
                $"The names of {corpus.Path} do not tell speakers (7_jackson_32.wav, NAME_nohash_0.wav); choose `splitBy` hash.");
        if (asked.FirstOrDefault(speaker => !known.Contains(speaker)) is { } unknown)
            throw new InvalidCallException(
                $"There is no speaker '{unknown}'; {(known.Count > 20 ? $"{known.Count} are known, such as" : "choose among")} " +
                $"{string.Join(", ", known.Order(StringComparer.Ordinal).Take(20))}.");
    }
}
