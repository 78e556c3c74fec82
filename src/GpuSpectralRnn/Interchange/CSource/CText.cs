using System.Globalization;
using System.Text;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>Names, numbers and comments as C writes them.</summary>
internal static class CText
{
    private const int NumbersPerLine = 8;

    /// <summary>
    /// An identifier made of a file's stem: letters, digits and underlines, others become underlines; <c>model_</c> in front where it begins with no
    /// letter.
    /// </summary>
    public static string Identifier(string stem)
    {
        string name = string.Concat(stem.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : "model_" + name;
    }

    /// <summary>A float that reads back as the same bits.</summary>
    public static string Number(float value)
    {
        string digits = value.ToString("R", CultureInfo.InvariantCulture);
        return digits.AsSpan().IndexOfAny('.', 'E') < 0 ? digits + ".0f" : digits + "f";
    }

    /// <summary>Text that ends no comment and begins none, in ASCII.</summary>
    public static string Comment(string text)
    {
        StringBuilder safe = new();
        foreach (char c in text)
        {
            char written = c is >= ' ' and <= '~' ? c : '_';
            bool isMark = safe.Length > 0 && (safe[^1], written) is ('*', '/') or ('/', '*') or ('?', '?'); // ?? begins a trigraph
            safe.Append(isMark ? " " : "").Append(written);
        }

        // A backslash at the end of a line would join the next to it.
        return safe.ToString().TrimEnd('\\');
    }

    /// <summary>Writes a constant array.</summary>
    public static void Array(TextWriter writer, string name, ReadOnlySpan<float> values)
    {
        writer.Write($"\nstatic const float {name}[{values.Length}] = {{");
        for (int i = 0; i < values.Length; i++) writer.Write($"{(i % NumbersPerLine == 0 ? "\n    " : " ")}{Number(values[i])},");
        writer.Write("\n};\n");
    }
}
