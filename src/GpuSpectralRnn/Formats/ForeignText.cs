using System.Text;

namespace GpuSpectralRnn.Formats;

/// <summary>Escapes text from files or arguments for display, so that it cannot control a terminal.</summary>
public static class ForeignText
{
    private const int Longest = 80;

    /// <summary>At most 80 characters, control characters escaped.</summary>
    public static string Show(string text) => Escape(text.Length <= Longest ? text : text[..Longest] + "...", keepsLines: false);

    /// <summary>The whole text with control characters as <c>\x1B</c>.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="keepsLines">Whether line feeds and tabs stay.</param>
    public static string Escape(string text, bool keepsLines)
    {
        if (!text.Any(IsControl)) return text;
        StringBuilder shown = new(text.Length + 16);
        foreach (char c in text)
        {
            if (IsControl(c) && !(keepsLines && c is '\n' or '\t')) shown.Append(c < 256 ? $"\\x{(int)c:X2}" : $"\\u{(int)c:X4}");
            else shown.Append(c);
        }

        return shown.ToString();
    }

    // C0, DEL, C1, and what turns the direction of writing.
    private static bool IsControl(char c) => char.IsControl(c) || c is >= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069';
}
