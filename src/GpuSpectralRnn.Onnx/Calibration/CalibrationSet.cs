using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>Data that a graph is called with, for all of it or for the branch that one value of an input chooses.</summary>
/// <param name="Arrays">By the names of the inputs (<see cref="CalibrationData"/>).</param>
/// <param name="Value">The value of the choosing input; null where there is none, or where the data suit every value.</param>
public sealed record CalibrationSet(IReadOnlyDictionary<string, INumberArray> Arrays, double? Value = null)
{
    /// <summary>Data in memory.</summary>
    public CalibrationSet(IReadOnlyDictionary<string, NamedArray> arrays, double? value = null)
        : this(arrays.ToDictionary(pair => pair.Key, pair => (INumberArray)pair.Value), value)
    {
    }

    /// <summary>Reads files, each as <c>FILE</c> or <c>VALUE=FILE</c>.</summary>
    /// <exception cref="InvalidCallException">A file does not exist or holds other than plain arrays, or several lack their values.</exception>
    /// <exception cref="BrokenFileException">A file is broken.</exception>
    public static IReadOnlyList<CalibrationSet> Read(IEnumerable<string> files)
    {
        CalibrationSet[] sets = [.. files.Select(file =>
        {
            (double? value, string path) = Split(file);
            return new CalibrationSet(CalibrationData.Read(path), value);
        })];
        if (sets.Length > 1 && (Array.Exists(sets, set => set.Value is null) || sets.DistinctBy(set => set.Value).Count() < sets.Length))
            throw new InvalidCallException(
                "`data` of several files: put the value of the input that chooses between them before each, another for each, "
                + "for example 16000=wide.npy 8000=narrow.npy.");
        return sets;
    }

    /// <summary>The value and the path of <c>VALUE=FILE</c>; a file that exists under the whole text is that file.</summary>
    public static (double? Value, string Path) Split(string text)
    {
        int at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && at < text.Length - 1 && !File.Exists(text)
            && double.TryParse(text[..at], System.Globalization.CultureInfo.InvariantCulture, out double value)
            ? (value, text[(at + 1)..])
            : (null, text);
    }
}
