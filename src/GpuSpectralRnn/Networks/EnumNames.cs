using System.Text.Json;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Networks;

/// <summary>The written names of enumerations, as the command line and the files use them: <c>RnnTanh</c> is written <c>rnn-tanh</c>.</summary>
public static class EnumNames
{
    /// <summary>The written name of a value.</summary>
    public static string Name<T>(this T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    /// <summary>All written names, in the order of declaration.</summary>
    public static IReadOnlyList<string> All<T>()
        where T : struct, Enum => [.. Enum.GetValues<T>().Select(Name)];

    /// <summary>The value with the written name <paramref name="name"/>.</summary>
    /// <param name="name">For example <c>rnn-tanh</c>; capitals do not matter.</param>
    /// <param name="setBy">What the caller sets it by, for the message: <c>`cell`</c>.</param>
    /// <exception cref="InvalidCallException">No value has this name.</exception>
    public static T Parse<T>(string name, string setBy)
        where T : struct, Enum
    {
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(value.Name(), name.Trim(), StringComparison.OrdinalIgnoreCase)) return value;
        }

        throw new InvalidCallException($"{setBy} {ForeignText.Show(name)}: choose one of {string.Join(", ", All<T>())}.");
    }
}
