using System.Globalization;
using System.Reflection;
using CommandLine;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>
/// Checks how numbers are written before the parser converts them: it would read the comma of 0,003 as one between thousands, and train at rate 3.
/// </summary>
internal static class NumberOptions
{
    /// <summary>What is wrong with a number among the arguments, and how to write it; null where all are right.</summary>
    /// <param name="verb">The type whose options they are.</param>
    /// <param name="args">As given.</param>
    public static string? FindFault(Type verb, IReadOnlyList<string> args)
    {
        Dictionary<string, Type> numeric = [];
        foreach ((PropertyInfo property, OptionAttribute option) in VerbOptions.All(verb))
        {
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (type == typeof(double) || type == typeof(int) || type == typeof(ulong)) numeric.Add("--" + option.LongName, type);
        }

        for (int i = 0; i < args.Count; i++)
        {
            string[] parts = args[i].Split('=', 2);
            if (!numeric.TryGetValue(parts[0], out Type? type)) continue;
            string? value = parts.Length == 2 ? parts[1] : i + 1 < args.Count ? args[i + 1] : null;
            if (value is not null && Fault(parts[0], value, type) is { } fault) return fault;
        }

        return null;
    }

    private static string? Fault(string option, string value, Type type)
    {
        if (type == typeof(double))
        {
            if (value.Contains(','))
                return $"{option} {value}: write the decimals behind a point, {value.Replace(',', '.')}, and no separators between thousands.";
            if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
                return $"{option} '{value}' is no number; write it as 0.003 or 3e-3.";
            return double.IsFinite(number) ? null : $"{option} {value}: choose a finite number.";
        }

        string digits = value.StartsWith('-') ? value[1..] : value;
        if (digits.Length > 0 && digits.All(char.IsAsciiDigit))
            return Fits(value, type) ? null : $"{option} {value} is out of range; choose {(type == typeof(int) ? $"a number up to {int.MaxValue}" : $"0 to {ulong.MaxValue}")}.";
        return value.Contains(',') || value.Contains('.')
            ? $"{option} {value}: a whole number is needed, without separators between thousands."
            : $"{option} '{value}' is no whole number.";
    }

    private static bool Fits(string value, Type type) => type == typeof(int)
        ? int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
        : ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
