using System.Text.RegularExpressions;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Plain PyTorch state dicts in safetensors: one <c>nn.RNN</c>, <c>nn.LSTM</c> or <c>nn.GRU</c> and one <c>nn.Linear</c>, under whatever names their module gave them. The sizes come from the tensors; what the
/// tensors cannot tell (the cell, the read-out, the task) the caller says.
/// </summary>
public static partial class StateDict
{
    /// <summary>Imports a state dict.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="backend">Where the network shall live.</param>
    /// <param name="cell">The recurrence.</param>
    /// <param name="readout">Which hidden states the linear layer sees.</param>
    /// <param name="task">What the outputs mean.</param>
    /// <exception cref="InvalidCallException">There is no such file, or its tensors are not those of one recurrent module and one nn.Linear.</exception>
    /// <exception cref="BrokenFileException">The file is damaged, or the tensors' shapes contradict each other.</exception>
    public static Network Import(string path, IBackend backend, Cell cell, Readout readout = Readout.Last, TaskKind task = TaskKind.Classification)
    {
        SafetensorsFile file = SafetensorsFile.Read(path);
        Dictionary<string, NamedArray> tensors = Rename(file);
        int gates = cell.Gates();
        List<int> hidden = [];
        while (tensors.TryGetValue($"rnn.weight_hh_l{hidden.Count}", out NamedArray? weights)) hidden.Add(Extent(weights, 1));
        bool isBidirectional = tensors.ContainsKey($"rnn.weight_ih_l0{ParameterSlot.Reverse}");
        AddMissingBiases(tensors, hidden, gates, isBidirectional ? ["", ParameterSlot.Reverse] : [""]);
        if (hidden.Count == 0 || !tensors.TryGetValue("rnn.weight_ih_l0", out NamedArray? first) || !tensors.TryGetValue("readout.weight", out NamedArray? last))
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
            Hidden = hidden,
            IsBidirectional = isBidirectional,
            Readout = readout,
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

    // Our names -> the file's tensors: module prefixes are replaced by "rnn." and "readout.".
    private static Dictionary<string, NamedArray> Rename(SafetensorsFile file)
    {
        Dictionary<string, NamedArray> tensors = [];
        string? recurrentModule = null;
        string? linearModule = null;
        foreach (NamedArray array in file.Arrays)
        {
            if (Recurrent().Match(array.Name) is { Success: true } recurrent)
            {
                string module = recurrent.Groups["module"].Value;
                if ((recurrentModule ??= module) != module) throw Unfit(file, $"two recurrent modules, '{recurrentModule}' and '{module}', are among them");
                tensors.Add($"rnn.{recurrent.Groups["name"].Value}", array);
            }
            else if (Linear().Match(array.Name) is { Success: true } linear)
            {
                string module = linear.Groups["module"].Value;
                if ((linearModule ??= module) != module) throw Unfit(file, $"two linear modules, '{linearModule}' and '{module}', are among them");
                tensors.Add($"readout.{linear.Groups["name"].Value}", array);
            }
            else
            {
                throw Unfit(file, $"'{array.Name}' belongs to neither");
            }
        }

        return tensors;
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

        if (tensors.TryGetValue("readout.weight", out NamedArray? readout) && readout.Shape.Rank == 2 && !tensors.ContainsKey("readout.bias"))
            AddZeros(tensors, "readout.bias", readout.Shape[0]);
    }

    private static void AddZeros(Dictionary<string, NamedArray> tensors, string name, int count) =>
        tensors.Add(name, NamedArray.Of(name, new Shape(count), new float[count]));

    private static InvalidCallException Unfit(SafetensorsFile file, string problem) => new(
        $"{file.Path} is not the state dict of one nn.RNN, nn.LSTM or nn.GRU and one nn.Linear: {problem}. It holds {string.Join(", ", file.Arrays.Select(array => array.Name))}.");
}
