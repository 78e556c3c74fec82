using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>Arrays that graphs are called with, by the name of the input: [N, ...], one call or one sequence of calls for each of N.</summary>
public static class CalibrationData
{
    /// <summary>The name of an array without a name.</summary>
    public const string Nameless = "";

    /// <summary>Reads one array (.npy) or several with their names (.npz).</summary>
    /// <exception cref="InvalidCallException">The file does not exist, or holds other than plain arrays.</exception>
    /// <exception cref="BrokenFileException">The file is broken.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path) => path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase)
        ? NpzFile.Read(path)
        : new Dictionary<string, NamedArray> { [Nameless] = NpyFile.Read(path) };
}
