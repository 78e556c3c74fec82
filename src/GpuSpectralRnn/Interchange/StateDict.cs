using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// Plain PyTorch state dicts in safetensors: one <c>nn.RNN</c>, <c>nn.LSTM</c> or <c>nn.GRU</c> or several in a row, one <c>nn.Linear</c> and perhaps
/// one <c>nn.Embedding</c>, under whatever names their module gave them. Weights of the last two that are equal, or there once, are tied. The sizes
/// come from the tensors; what the tensors cannot tell (the cell, the read-out, the task) the caller says.
/// </summary>
public static class StateDict
{
    /// <summary>Imports a state dict.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="backend">Backend of the network.</param>
    /// <param name="cell">The recurrence.</param>
    /// <param name="readout">
    /// Which hidden states the linear layer reads; null: every step's of a language model (as many outputs as tokens), else the last.
    /// </param>
    /// <param name="task">
    /// Task of the network; null: a regression where there is one output (a single class is no classification), else classes.
    /// </param>
    /// <param name="note">Receives the assumptions, a line each.</param>
    /// <param name="linear">
    /// The module of the read-out (<c>head.fc</c>), where several could be it; those that are neither it nor the embedding are left out. Null: the only one.
    /// </param>
    /// <param name="embedding">The module of the embedding, where its name and shape do not tell; null: the one that they tell, if any.</param>
    /// <exception cref="InvalidCallException">There is no such file, or its tensors are not those of recurrent modules in a row, one nn.Linear and
    /// perhaps one nn.Embedding.</exception>
    /// <exception cref="BrokenFileException">The file is damaged, or the tensors' shapes contradict each other.</exception>
    public static Network Import(
        string path,
        IBackend backend,
        Cell cell,
        Readout? readout = null,
        TaskKind? task = null,
        Action<string>? note = null,
        string? linear = null,
        string? embedding = null)
    {
        if (cell.Spec().PyTorch is null)
            throw new InvalidCallException($"{path}: `cell` {cell.Name()}: PyTorch has no such module; import ONNX or Keras.");
        SafetensorsFile file = SafetensorsFile.Read(path);
        StateDictTensors tensors = new(file, linear, embedding, note ?? (_ => { }));
        List<int> hidden = [];
        while (tensors.Find($"rnn.weight_hh_l{hidden.Count}") is { } weights) hidden.Add(tensors.Extent(weights, 1));
        NamedArray? table = tensors.Find(ParameterSpec.Embedding);
        bool isTied = table is not null && DropTied(tensors, table);
        if (hidden.Count == 0 || tensors.Find("rnn.weight_ih_l0") is not { } first
            || (isTied ? table : tensors.Find(ParameterSpec.Readout)) is not { } last)
            throw tensors.Unfit("no complete recurrent layer and linear layer is among them");
        CheckCell(path, tensors, first, hidden[0], cell);
        bool isBidirectional = tensors.Find($"rnn.weight_ih_l0{ParameterSpec.Reverse}") is not null;
        int outputs = tensors.Extent(last, 0);
        Architecture architecture = new()
        {
            Cell = cell,
            Inputs = tensors.Extent(first, 1),
            Vocabulary = table is null ? 0 : tensors.Extent(table, 0),
            TiesWeights = isTied,
            Hidden = hidden,
            IsBidirectional = isBidirectional,
            Readout = readout ?? (table is not null && tensors.Extent(table, 0) == outputs ? Readout.Every : Readout.Last),
            Outputs = outputs,
            Task = task ?? (outputs == 1 ? TaskKind.Regression : TaskKind.Classification),
        };
        architecture.Validate(); // before anything of its sizes is made
        AddMissingBiases(path, tensors, hidden, cell, isBidirectional ? ["", ParameterSpec.Reverse] : [""], last, note);
        return ModelFile.Build(file, architecture, backend, tensors.Tensors);
    }

    private static void CheckCell(string path, StateDictTensors tensors, NamedArray first, int hidden, Cell cell)
    {
        int rows = tensors.Extent(first, 0);
        if (rows == cell.Gates() * hidden) return;
        CellSpec[] owners = [.. CellSpec.All.Where(spec => spec.PyTorch is not null && rows == spec.Gates * hidden)];
        string? owner = owners.Length == 0 ? null : $"an {owners[0].PyTorch}'s (cell {string.Join(" or ", owners.Select(spec => spec.Kind.Name()))})";
        throw new InvalidCallException(owner is null
            ? $"{path}: {first.Name} is {first.Shape} beside {hidden} hidden units, which no recurrent module has; " +
              "save the module's state dict again."
            : $"{path}: {first.Name} is {first.Shape}, which beside {hidden} hidden units is {owner}, not that of the cell {cell.Name()}.");
    }

    // Modules made with bias=False have none; zeros are the same. An LSTM or RNN adds its two biases, so that one may hold the sum of both; a GRU
    // multiplies one of them by a gate.
    private static void AddMissingBiases(
        string path, StateDictTensors tensors, List<int> hidden, Cell cell, string[] directions, NamedArray last, Action<string>? note)
    {
        foreach ((int layer, string direction) in
            from layer in Enumerable.Range(0, hidden.Count) from direction in directions select (layer, direction))
        {
            string[] missing =
                [.. new[] { $"rnn.bias_ih_l{layer}{direction}", $"rnn.bias_hh_l{layer}{direction}" }.Where(name => tensors.Find(name) is null)];
            if (missing.Length == 1 && cell.Spec().ResetsProduct)
                throw new InvalidCallException(
                    $"{path}: {missing[0]["rnn.".Length..]} is missing, and a GRU cannot do with one bias: " +
                    "add it, as zeros if the network was trained without it.");
            if (missing.Length == 1) note?.Invoke($"{missing[0]["rnn.".Length..]} is not there and taken as zeros");
            foreach (string name in missing) tensors.AddZeros(name, cell.Gates() * hidden[layer]);
        }

        if (tensors.Find("readout.bias") is null) tensors.AddZeros("readout.bias", tensors.Extent(last, 0));
    }

    // Whether the read-out has the embedding's weights; they then stay under the embedding's name.
    private static bool DropTied(StateDictTensors tensors, NamedArray table)
    {
        if (tensors.Find(ParameterSpec.Readout) is not { } readout) return true;
        bool isSame = (table.Values, readout.Values) switch
        {
            (float[] a, float[] b) => a.AsSpan().SequenceEqual(b),
            (double[] a, double[] b) => a.AsSpan().SequenceEqual(b),
            _ => false,
        };
        if (table.Shape != readout.Shape || !isSame) return false;
        tensors.Remove(ParameterSpec.Readout);
        return true;
    }
}
