using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Shards of second moments on disk: a safetensors file with <c>LAYER.sums</c> (F64 [m, m]), <c>LAYER.weight</c> (F64 [1]) and, where it is known,
/// <c>LAYER.state</c> (F64 [m], the sum of the states) per layer, and the model's fingerprint in its metadata.
/// </summary>
public static class SecondMomentsFile
{
    private const string FormatKey = "format", Format = "gsrnn covariance 1", FingerprintKey = "fingerprint";
    private const string SumsSuffix = ".sums", WeightSuffix = ".weight", StateSuffix = ".state";

    /// <summary>Writes the second moments of all layers of one model.</summary>
    /// <exception cref="ArgumentException">There are none, or they belong to different models.</exception>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Save(string path, IReadOnlyList<SecondMoments> layers)
    {
        if (layers.Select(c => c.Fingerprint).Distinct().Count() != 1)
            throw new ArgumentException("One file holds the covariances of one model.", nameof(layers));
        List<NamedArray> arrays = [];
        foreach (SecondMoments layer in layers)
        {
            arrays.Add(NamedArray.Create(layer.Layer + SumsSuffix, new Shape(layer.Units, layer.Units), layer.Sums.Data));
            arrays.Add(NamedArray.Create<double>(layer.Layer + WeightSuffix, new Shape(1), [layer.Weight]));
            if (layer.StateSums is { } state) arrays.Add(NamedArray.Create<double>(layer.Layer + StateSuffix, new Shape(state.Length), state));
        }

        SafetensorsFile.Write(path, arrays, new Dictionary<string, string> { [FormatKey] = Format, [FingerprintKey] = layers[0].Fingerprint });
    }

    /// <summary>Reads the second moments of all layers, in the file's order.</summary>
    /// <exception cref="InvalidCallException">The file is missing or holds no second moments.</exception>
    /// <exception cref="BrokenFileException">The file is truncated or damaged.</exception>
    public static IReadOnlyList<SecondMoments> Load(string path)
    {
        SafetensorsFile file = SafetensorsFile.Read(path);
        if (file.Metadata.GetValueOrDefault(FormatKey) != Format || !file.Metadata.TryGetValue(FingerprintKey, out string? fingerprint))
            throw new InvalidCallException($"{path} is not a covariance file; make one with `SecondMomentsFile.Save`.");
        List<SecondMoments> layers = [];
        foreach (NamedArray sums in file.Arrays.Where(a => a.Name.EndsWith(SumsSuffix, StringComparison.Ordinal)))
        {
            string layer = sums.Name[..^SumsSuffix.Length];
            if (sums.Shape.Rank != 2 || sums.Shape[0] != sums.Shape[1] || sums.Values is not double[] elements)
                throw new BrokenFileException(path, $"{sums} should be a square matrix of doubles.");
            if (file.Find(layer + WeightSuffix) is not { Values: double[] { Length: 1 } weight } || !(weight[0] >= 0))
                throw new BrokenFileException(path, $"'{layer}{WeightSuffix}' should be one number of zero or more.");
            double[]? state = file.Find(layer + StateSuffix)?.Values as double[];
            if (state is not null && state.Length != sums.Shape[0])
                throw new BrokenFileException(path, $"'{layer}{StateSuffix}' should be {sums.Shape[0]} numbers.");
            layers.Add(new SecondMoments(fingerprint, layer, Matrix.From(sums.Shape[0], sums.Shape[1], elements), weight[0], state));
        }

        return layers;
    }
}
