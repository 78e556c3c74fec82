using System.Globalization;
using System.Text.RegularExpressions;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Keras;

/// <summary>
/// The stack described by the groups of a weights file without configuration: Keras names them by class, counted within each class. Activations,
/// those of the cell included, and the input of the Dense are not in the file.
/// </summary>
internal static partial class WeightGroups
{
    /// <summary>Finds the stack.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="file">The weights.</param>
    /// <exception cref="InvalidCallException">A group is none of an Embedding, recurrent layers of one class, a Dense.</exception>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public static KerasStack Find(string path, WeightsFile file)
    {
        if (!file.Has("layers"))
        {
            throw file.Has("model_weights") ? RefuseWholeModel(path) : new InvalidCallException(
                $"{path} has no group layers, as the weights files of Keras 3 have; save the model in Keras 3 as .keras.");
        }

        List<(string Kind, int Number, KerasLayer Layer)> found = [];
        foreach (string name in file.Names("layers"))
        {
            Match match = Group().Match(name);
            string kind = match.Groups["kind"].Value;
            if (kind is "input_layer" or "dropout" or "spatial_dropout1d") continue;
            if (!match.Success)
                throw new InvalidCallException(
                    $"{path}: layers/{ForeignText.Show(name)} is no Embedding, LSTM, GRU, SimpleRNN, Bidirectional, Dense.");
            int number = match.Groups["number"] is { Success: true, Value: var digits } ? int.Parse(digits, CultureInfo.InvariantCulture) : 0;
            found.Add((kind, number, new KerasLayer(name, $"layers/{name}", kind == "bidirectional")));
        }

        ILookup<string, KerasLayer> kinds = found.OrderBy(layer => layer.Number).ToLookup(layer => layer.Kind, layer => layer.Layer);
        string[] recurrent = [.. kinds.Select(kind => kind.Key).Where(kind => kind is not ("embedding" or "dense"))];
        if (recurrent.Length != 1 || kinds["dense"].Count() != 1 || kinds["embedding"].Count() > 1)
        {
            throw new InvalidCallException(
                $"{path}: recurrent layers of one class, one Dense and at most one Embedding are needed; "
                + $"its layers are {string.Join(", ", found.Select(layer => layer.Layer.Name))}.");
        }

        return new KerasStack(
            kinds["embedding"].SingleOrDefault(), [.. kinds[recurrent[0]]], kinds["dense"].Single(), Cell: null, Readout: null, EndsInSoftmax: false);
    }

    /// <summary>The exception for configuration and weights in one HDF5 file, which Keras 2 wrote under the names .h5 and .keras and Keras 3 writes as .h5.</summary>
    public static InvalidCallException RefuseWholeModel(string path) => new(
        $"{path} is a whole model in HDF5, as Keras 2 saved it, which is not read; in Keras 3 say keras.saving.load_model(...).save(\"model.keras\") and import that.");

    [GeneratedRegex(@"^(?<kind>input_layer|dropout|spatial_dropout1d|embedding|lstm|gru|simple_rnn|bidirectional|dense)(_(?<number>[1-9]\d{0,3}))?$")]
    private static partial Regex Group();
}
