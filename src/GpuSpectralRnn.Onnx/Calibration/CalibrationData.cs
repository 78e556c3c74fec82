using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>Arrays that graphs are called with, by the name of the input: [N, ...], one call or one sequence of calls for each of N.</summary>
public static class CalibrationData
{
    /// <summary>The name of an array without a name.</summary>
    public const string Nameless = "";

    /// <summary>
    /// Opens one array, an .npy or several of one set (<c>part-*.npy</c>), or the arrays of an .npz by their names. Of an array of more than
    /// <see cref="NpyData.MostKept"/> bytes a call reads what it needs; those of an .npz are in memory.
    /// </summary>
    /// <exception cref="InvalidCallException">The file does not exist, or holds other than plain arrays.</exception>
    /// <exception cref="BrokenFileException">The file is broken.</exception>
    public static IReadOnlyDictionary<string, INumberArray> Read(string path)
    {
        if (path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
            return NpzFile.Read(path).ToDictionary(pair => pair.Key, pair => (INumberArray)pair.Value);
        NpySet set = NpySet.Open(path);
        return new Dictionary<string, INumberArray> { [Nameless] = set.Shape.Count * sizeof(float) > NpyData.MostKept ? set : Kept(set) };
    }

    private static NamedArray Kept(NpySet set)
    {
        using NpySet owned = set;
        return NamedArray.Create(set.Name, set.Shape, set.Read(0, (int)set.Shape.Count));
    }
}
