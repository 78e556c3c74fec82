using System.Text;
using System.Xml;

namespace GpuSpectralRnn.Reports;

/// <summary>Escapes text from outside (names of data and models) for output.</summary>
internal static class Shown
{
    private const char Replacement = '\uFFFD';

    /// <summary>On one line, without control characters, which a terminal would execute.</summary>
    public static string Line(string text) =>
        string.Concat(text.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? Replacement : c));

    /// <summary>Escaped for a cell of a Markdown table.</summary>
    public static string Markdown(string text)
    {
        StringBuilder escaped = new();
        foreach (char c in Line(text))
        {
            if (c is '\\' or '|' or '`' or '*') escaped.Append('\\');
            escaped.Append(c switch { '<' => "&lt;", '&' => "&amp;", _ => c.ToString() });
        }

        return escaped.ToString();
    }

    /// <summary>Without the control characters and unpaired surrogates that XML does not allow; the writer escapes the rest.</summary>
    public static string Xml(string text)
    {
        StringBuilder valid = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i])) valid.Append(text[i]).Append(text[++i]);
            else valid.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : Replacement);
        }

        return valid.ToString();
    }
}
