namespace GpuSpectralRnn.Formats;

/// <summary>Several files by one name with wildcards: <c>part-*.npy</c>.</summary>
public static class FilePattern
{
    private static readonly EnumerationOptions OneFolder = new() { MatchType = MatchType.Simple, IgnoreInaccessible = false };

    /// <summary>Whether the name has a wildcard, * for any characters or ? for one, and is not itself that of a file.</summary>
    public static bool Is(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0 && !File.Exists(path);

    /// <summary>
    /// The files that a name stands for, in natural order (2 before 10): itself without wildcards. Hidden files are left out, as shells do.
    /// </summary>
    /// <exception cref="InvalidCallException">There is none, or a wildcard stands in the name of the folder.</exception>
    public static IReadOnlyList<string> Expand(string path)
    {
        if (!Is(path)) return [path];
        string folder = Path.GetDirectoryName(path) ?? "", name = Path.GetFileName(path);
        if (folder.AsSpan().IndexOfAny('*', '?') >= 0)
            throw new InvalidCallException($"{ForeignText.Show(path)}: wildcards stand in the name of a file, not of its folder; name one folder.");
        string[] files;
        try
        {
            files = Directory.GetFiles(folder.Length == 0 ? "." : folder, name, OneFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidCallException($"The folder of {ForeignText.Show(path)} cannot be read: {e.Message.TrimEnd('.')}. Name another.", e);
        }

        if (files.Length == 0) throw new InvalidCallException($"No file is called {ForeignText.Show(path)}; check the folder and the name.");
        return [.. files.Select(file => Path.Combine(folder, Path.GetFileName(file))).Order(Comparer<string>.Create(CompareNaturally))];
    }

    /// <summary>Compares by characters, but runs of digits by the numbers that they are.</summary>
    internal static int CompareNaturally(string left, string right)
    {
        int i = 0, j = 0;
        while (i < left.Length && j < right.Length)
        {
            if (!char.IsAsciiDigit(left[i]) || !char.IsAsciiDigit(right[j]))
            {
                if (left[i] != right[j]) return left[i].CompareTo(right[j]);
                (i, j) = (i + 1, j + 1);
                continue;
            }

            ReadOnlySpan<char> a = Digits(left, ref i), b = Digits(right, ref j);
            int difference = a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.SequenceCompareTo(b);
            if (difference != 0) return difference;
        }

        int rest = (left.Length - i).CompareTo(right.Length - j);
        return rest != 0 ? rest : string.CompareOrdinal(left, right); // 1 and 01
    }

    // Without leading zeros.
    private static ReadOnlySpan<char> Digits(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return text.AsSpan(start, at - start).TrimStart('0');
    }
}
