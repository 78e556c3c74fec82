using System.Globalization;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>
/// A stack by its sizes, <c>lstm:28-128-10</c>: cell, inputs, units of each layer, outputs. <c>lstm:10000x200-200-200-10000</c> is a language model:
/// 10,000 words as 200 numbers each, and a read-out of every step.
/// </summary>
internal static class StackText
{
    private const string Form = "write a stack as CELL:INPUTS-HIDDEN[-HIDDEN...]-OUTPUTS, lstm:28-128-10, or with words as WORDSxNUMBERS, lstm:10000x200-200-10000";

    /// <summary>The stack; null where the text names a file.</summary>
    /// <exception cref="InvalidCallException">It begins as a stack and is none.</exception>
    public static Architecture? Find(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length != 2 || !EnumNames.All<Cell>().Contains(parts[0]) || File.Exists(text)) return null;
        string[] sizes = parts[1].Split('-');
        if (sizes.Length < 3) throw new InvalidCallException($"--model {text}: {Form}.");
        string[] inputs = sizes[0].Split('x');
        if (inputs.Length > 2) throw new InvalidCallException($"--model {text}: {Form}.");
        bool hasWords = inputs.Length == 2;
        Architecture stack = new()
        {
            Cell = EnumNames.Parse<Cell>(parts[0], "--model"),
            Inputs = Number(text, inputs[^1]),
            Vocabulary = hasWords ? Number(text, inputs[0]) : 0,
            Hidden = [.. sizes[1..^1].Select(size => Number(text, size))],
            Outputs = Number(text, sizes[^1]),
            Readout = hasWords ? Readout.Every : Readout.Last,
        };
        stack.Validate();
        return stack;
    }

    private static int Number(string text, string size) =>
        int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new InvalidCallException($"--model {text}: '{size}' is no number of one or more; {Form}.");
}
