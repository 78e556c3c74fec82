using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// Networks as plain PyTorch state dicts in safetensors, for the <c>load_state_dict</c> of a module with the parts that <see cref="Modules"/> names:
/// recurrent matrices whole, tied weights under both names.
/// </summary>
public static class StateDictExport
{
    /// <summary>Writes the tensors, without this library's metadata.</summary>
    /// <exception cref="InvalidCallException">PyTorch has no module of the network's cell.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite, or the file cannot be written.</exception>
    public static void Save(string path, Network network)
    {
        Cell cell = network.Architecture.Cell;
        if (cell.Spec().PyTorch is null) throw new InvalidCallException($"PyTorch has no module of the cell {cell.Name()}; export ONNX or C.");
        _ = network.Parameters.ReadFinite();
        network.Parameters.Form();
        SafetensorsFile.Write(path, [.. Tensors(network)], new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Whether a model file holds these tensors under these names already.</summary>
    public static bool IsModelFile(Architecture architecture) =>
        !architecture.TiesWeights && architecture.RecurrentRank is null && IsOneModule(architecture);

    /// <summary>
    /// The parts of a PyTorch module that take the tensors, as its constructor makes them, for example
    /// <c>rnn = nn.LSTM(28, 128, 2, batch_first=True)</c> and <c>readout = nn.Linear(128, 10)</c>.
    /// </summary>
    public static IEnumerable<string> Modules(Architecture architecture)
    {
        if (architecture.HasEmbedding) yield return $"embedding = nn.Embedding({architecture.Vocabulary}, {architecture.Inputs})";
        string type = architecture.Cell.Spec().PyTorch!;
        string options = architecture.Cell.Spec().PyTorchOptions + ", batch_first=True"
            + (architecture.IsBidirectional ? ", bidirectional=True" : "");
        yield return IsOneModule(architecture)
            ? $"rnn = {type}({architecture.Inputs}, {architecture.Hidden[0]}, {architecture.Layers}{options})"
            : $"rnn = nn.ModuleList([{string.Join(", ", Enumerable.Range(0, architecture.Layers).Select(Layer))}])";
        yield return $"readout = nn.Linear({architecture.LayerOutputs(architecture.Layers - 1)}, {architecture.Outputs})";

        string Layer(int layer) => $"{type}({architecture.LayerInputs(layer)}, {architecture.Hidden[layer]}{options})";
    }

    // nn.RNN and its kin give all their layers one size.
    private static bool IsOneModule(Architecture architecture) => architecture.Hidden.All(hidden => hidden == architecture.Hidden[0]);

    private static IEnumerable<NamedArray> Tensors(Network network)
    {
        (Architecture architecture, Parameters parameters) = (network.Architecture, network.Parameters);
        if (architecture.HasEmbedding) yield return Array(ParameterSpec.Embedding, parameters[ParameterSpec.Embedding]);
        for (int recurrence = 0; recurrence < architecture.Recurrences; recurrence++)
        {
            (int layer, bool isReverse) = (recurrence / architecture.Directions, architecture.IsReverse(recurrence));
            RecurrentWeights weights = parameters.Recurrent(architecture.RecurrenceName(recurrence));
            (string module, int number) = IsOneModule(architecture) ? ("rnn", layer) : ($"rnn.{layer}", 0);
            string end = $"l{number}{(isReverse ? ParameterSpec.Reverse : "")}";
            yield return Array($"{module}.weight_ih_{end}", weights.InputWeights);
            yield return Array($"{module}.weight_hh_{end}", weights.HiddenWeights);
            yield return Array($"{module}.bias_ih_{end}", weights.InputBias);
            yield return Array($"{module}.bias_hh_{end}", weights.HiddenBias);
        }

        yield return Array(ParameterSpec.Readout, parameters[architecture.ReadoutWeight]);
        yield return Array("readout.bias", parameters["readout.bias"]);
    }

    private static NamedArray Array(string name, Tensor tensor) => NamedArray.Create(name, tensor.Shape, tensor.ToArray());
}
