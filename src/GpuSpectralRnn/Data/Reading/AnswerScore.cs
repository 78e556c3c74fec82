using System.Globalization;
using System.Text;

namespace GpuSpectralRnn.Data;

/// <summary>
/// SQuAD's scores of an answer (Rajpurkar, Zhang, Lopyrev, Liang 2016; version 1.1's official evaluation): both sides in lower case, without
/// punctuation and the articles a, an, the, white space folded; of several accepted answers the best counts.
/// </summary>
public static class AnswerScore
{
    private static readonly string[] Articles = ["a", "an", "the"];

    // Python's string.punctuation: what the official script takes out. Other marks, such as typographic quotes, stay.
    private static readonly HashSet<char> Punctuation = [.. "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"];

    /// <summary>An answer as it is compared.</summary>
    public static string Normalize(string answer) => string.Join(' ', Parts(answer));

    /// <summary>Whether an answer is one of those accepted.</summary>
    public static bool IsExact(string answer, IReadOnlyList<string> accepted)
    {
        string own = Normalize(answer);
        foreach (string other in accepted)
            if (Normalize(other) == own) return true;
        return false;
    }

    /// <summary>
    /// The largest F1 of the words of an answer and of one of those accepted, 0 to 1: harmonic mean of precision and recall, repeated words counted.
    /// </summary>
    public static double F1(string answer, IReadOnlyList<string> accepted)
    {
        string[] own = Parts(answer);
        return accepted.Select(other => F1(own, Parts(other))).DefaultIfEmpty(0).Max();
    }

    private static double F1(string[] own, string[] other)
    {
        Dictionary<string, int> left = [];
        foreach (string word in other) left[word] = left.GetValueOrDefault(word) + 1;
        int common = 0;
        foreach (string word in own)
        {
            if (left.GetValueOrDefault(word) == 0) continue;
            left[word]--;
            common++;
        }

        return common == 0 ? 0 : 2.0 * common / (own.Length + other.Length);
    }

    // Articles are whole words, of what the punctuation left, as in the official script: "a.m." becomes "am", and "l'a" "la".
    private static string[] Parts(string answer)
    {
        StringBuilder text = new(answer.Length);
        foreach (char unit in answer.ToLower(CultureInfo.InvariantCulture))
            if (!Punctuation.Contains(unit)) text.Append(unit);
        return [.. WithoutArticles(text.ToString()).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
    }

    // Between word boundaries, where a word is letters, digits and underscores: other marks part words.
    private static string WithoutArticles(string text)
    {
        StringBuilder rest = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int end = i;
            while (end < text.Length && IsOfWord(text[end])) end++;
            ReadOnlySpan<char> word = text.AsSpan(i, end - i);
            if (word.Length == 0) rest.Append(text[end++]);
            else if (IsArticle(word)) rest.Append(' ');
            else rest.Append(word);
            i = end;
        }

        return rest.ToString();
    }

    private static bool IsOfWord(char unit) => char.IsLetterOrDigit(unit) || unit == '_' || char.IsSurrogate(unit);

    private static bool IsArticle(ReadOnlySpan<char> word)
    {
        foreach (string article in Articles)
            if (word.SequenceEqual(article)) return true;
        return false;
    }
}
