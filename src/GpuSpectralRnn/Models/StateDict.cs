using System.Text.RegularExpressions;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Plain PyTorch state dicts in safetensors: one <c>nn.RNN</c>, <c>nn.LSTM</c> or <c>nn.GRU</c>, one <c>nn.Linear</c> and perhaps one
/// <c>nn.Embedding</c>, under whatever names their module gave them. Weights of the last two that are equal, or there once, are tied. The sizes come
/// from the tensors; what the tensors cannot tell (the cell, the read-out, the task) the caller says.
/// </summary>
public static partial class StateDict
{
    /// <summary>Imports a state dict.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="backend">Where the network shall live.</param>
    /// <param name="cell">The recurrence.</param>
    /// <param name="readout">Which hidden states the linear layer sees; null: every step's of a language model (as many outputs as tokens), else the
    /// last.</param>
    /// <param name="task">What the outputs mean.</param>
    /// <exception cref="InvalidCallException">There is no such file, or its tensors are not those of one recurrent module, one nn.Linear and perhaps
    /// one nn.Embedding.</exception>
    /// <exception cref="BrokenFileException">The file is damaged, or the tensors' shapes contradict each other.</exception>
    public static Network Import(string path, IBackend backend, Cell cell, Readout? readout = null, TaskKind task = TaskKind.Classification)
    {
        SafetensorsFile file = SafetensorsFile.Read(path);
        Dictionary<string, NamedArray> tensors = Rename(file);
        int gates = cell.Gates();
        List<int> hidden = [];
        while (tensors.TryGetValue($"rnn.weight_hh_l{hidden.Count}", out NamedArray? weights)) hidden.Add(Extent(weights, 1));
        bool isBidirectional = tensors.ContainsKey($"rnn.weight_ih_l0{ParameterSlot.Reverse}");
        tensors.TryGetValue(ParameterSlot.Embedding, out NamedArray? table);
        bool isTied = table is not null && DropTied(tensors, table);
        AddMissingBiases(tensors, hidden, gates, isBidirectional ? ["", ParameterSlot.Reverse] : [""]);
        if (hidden.Count == 0 || !tensors.TryGetValue("rnn.weight_ih_l0", out NamedArray? first) || (isTied ? table : tensors.GetValueOrDefault(ParameterSlot.Readout)) is not { } last)
            throw Unfit(file, "no complete recurrent layer and linear layer is among them");
        int rows = Extent(first, 0);
        if (rows != gates * hidden[0])
        {
            string seen = rows == 4 * hidden[0] ? "an LSTM's" : rows == 3 * hidden[0] ? "a GRU's" : $"for {rows} rows";
            throw new InvalidCallException($"{path}: {first.Name} is {first.Shape}, {seen} shape beside {hidden[0]} hidden units, not that of the cell {cell.Name()}.");
        }

        Architecture architecture = new()
        {
            Cell = cell,
            Inputs = Extent(first, 1),
            Vocabulary = table is null ? 0 : Extent(table, 0),
            TiesWeights = isTied,
            Hidden = hidden,
            IsBidirectional = isBidirectional,
            Readout = readout ?? (table is not null && Extent(table, 0) == Extent(last, 0) ? Readout.Every : Readout.Last),
            Outputs = Extent(last, 0),
            Task = task,
        };
        return ModelFile.Build(file, architecture, backend, tensors);

        int Extent(NamedArray array, int dimension) =>
            array.Shape.Rank == 2 && array.Shape[dimension] > 0 ? array.Shape[dimension] : throw new BrokenFileException(path, $"{array.Name} is {array.Shape}; a matrix is needed.");
    }

    [GeneratedRegex(@"^(?<module>(.*\.)?)(?<name>(weight|bias)_(ih|hh)_l\d+(_reverse)?)$")]
    private static partial Regex Recurrent();

    [GeneratedRegex(@"^(?<module>(.*\.)?)(?<name>weight|bias)$")]
    private static partial Regex Linear();

    [GeneratedRegex("emb|encoder|lookup|wte", RegexOptions.IgnoreCase)]
    private static partial Regex EmbeddingName();

    // Our names -> the file's tensors: module prefixes are replaced by "rnn.", "embedding." and "readout.".
    private static Dictionary<string, NamedArray> Rename(SafetensorsFile file)
    {
        Dictionary<string, NamedArray> tensors = [];
        Dictionary<string, List<NamedArray>> others = [];
        string? recurrentModule = null;
        foreach (NamedArray array in file.Arrays)
        {
            if (Recurrent().Match(array.Name) is { Success: true } recurrent)
            {
                string module = recurrent.Groups["module"].Value;
                if ((recurrentModule ??= module) != module) throw Unfit(file, $"two recurrent modules, '{recurrentModule}' and '{module}', are among them");
                tensors.Add($"rnn.{recurrent.Groups["name"].Value}", array);
            }
            else if (Linear().Match(array.Name) is { Success: true } other)
            {
                string module = other.Groups["module"].Value;
                if (!others.TryGetValue(module, out List<NamedArray>? members)) others.Add(module, members = []);
                members.Add(array);
            }
            else
            {
                throw Unfit(file, $"'{array.Name}' belongs to none");
            }
        }

        string? embedding = others.Count < 2 ? null : EmbeddingModule(file, tensors, others);
        foreach ((string module, List<NamedArray> members) in others)
        {
            string room = module == embedding ? "embedding." : "readout.";
            foreach (NamedArray array in members) tensors.Add(room + Linear().Match(array.Name).Groups["name"].Value, array);
        }

        return tensors;
    }

    // The module of nn.Embedding: no bias, as wide as the recurrent layers' input; where both fit, its name tells.
    private static string EmbeddingModule(SafetensorsFile file, Dictionary<string, NamedArray> recurrent, Dictionary<string, List<NamedArray>> others)
    {
        int inputs = recurrent.TryGetValue("rnn.weight_ih_l0", out NamedArray? first) && first.Shape.Rank == 2 ? first.Shape[1] : -1;
        string[] fitting = [.. others.Where(pair => pair.Value is [{ Shape: { Rank: 2 } shape }] && shape[1] == inputs).Select(pair => pair.Key)];
        if (fitting.Length == 2) fitting = [.. fitting.Where(module => EmbeddingName().IsMatch(module))];
        return others.Count == 2 && fitting.Length == 1
            ? fitting[0]
            : throw Unfit(file, $"'{string.Join("', '", others.Keys)}' are not one nn.Embedding of width {inputs} and one nn.Linear");
    }

    // Modules made with bias=False have none; zeros are the same.
    private static void AddMissingBiases(Dictionary<string, NamedArray> tensors, List<int> hidden, int gates, string[] directions)
    {
        foreach ((int layer, string direction) in from layer in Enumerable.Range(0, hidden.Count) from direction in directions select (layer, direction))
        {
            string[] names = [$"rnn.bias_ih_l{layer}{direction}", $"rnn.bias_hh_l{layer}{direction}"];
            if (names.Any(tensors.ContainsKey)) continue;
            foreach (string name in names) AddZeros(tensors, name, gates * hidden[layer]);
        }

        NamedArray? readout = tensors.GetValueOrDefault(ParameterSlot.Readout) ?? tensors.GetValueOrDefault(ParameterSlot.Embedding);
        if (readout is { Shape.Rank: 2 } && !tensors.ContainsKey("readout.bias")) AddZeros(tensors, "readout.bias", readout.Shape[0]);
    }

    // Whether the read-out has the embedding's weights; they then stay under the embedding's name.
    private static bool DropTied(Dictionary<string, NamedArray> tensors, NamedArray table)
    {
        if (!tensors.TryGetValue(ParameterSlot.Readout, out NamedArray? readout)) return true;
        bool isSame = (table.Values, readout.Values) switch
        {
            (float[] a, float[] b) => a.AsSpan().SequenceEqual(b),
            (double[] a, double[] b) => a.AsSpan().SequenceEqual(b),
            _ => false,
        };
        return table.Shape == readout.Shape && isSame && tensors.Remove(ParameterSlot.Readout);
    }

    private static void AddZeros(Dictionary<string, NamedArray> tensors, string name, int count) =>
        tensors.Add(name, NamedArray.Of(name, new Shape(count), new float[count]));

    private static InvalidCallException Unfit(SafetensorsFile file, string problem) => new(
        $"{file.Path} is not the state dict of one nn.RNN, nn.LSTM or nn.GRU, one nn.Linear and perhaps one nn.Embedding: {problem}. It holds {string.Join(", ", file.Arrays.Select(array => array.Name))}.");
}
