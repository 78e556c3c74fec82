using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Keras;

/// <summary>
/// Imports files of Keras 3: perhaps an Embedding, then LSTM, GRU or SimpleRNN layers in a row, each of one direction or each in a Bidirectional,
/// then a Dense. A .keras file is complete; a .weights.h5 file has neither the activations nor the input of the Dense.
/// </summary>
public static class KerasImport
{
    /// <summary>Reads a network.</summary>
    /// <param name="path">A .keras, .weights.h5 or .h5 file.</param>
    /// <param name="backend">Backend of the network.</param>
    /// <param name="cell">The recurrence; null: what the file says, which a weights file does not.</param>
    /// <param name="readout">Input of the Dense; null: what the file says; for a weights file every step of a language model, else the last.</param>
    /// <param name="task">Task of the network; null: classes behind a softmax or of several outputs, else a regression.</param>
    /// <param name="note">Receives the assumptions, a line each.</param>
    /// <exception cref="InvalidCallException">There is no such file, or a layer cannot be represented; the message names it.</exception>
    /// <exception cref="RunFailedException">The file is damaged, or the shapes of its variables contradict each other.</exception>
    public static Network Read(
        string path, IBackend backend, Cell? cell = null, Readout? readout = null, TaskKind? task = null, Action<string>? note = null)
    {
        note ??= _ => { };
        using FileStream input = InputFile.Open(path, "Keras file");
        bool isArchive = path.EndsWith(".keras", StringComparison.OrdinalIgnoreCase);
        (byte[]? config, Stream weights) = isArchive ? KerasArchive.Unpack(path, input) : (null, input);
        using WeightsFile file = new(path, weights);
        KerasStack stack = config is null ? WeightGroups.Find(path, file) : KerasConfig.Read(path, config);
        Cell its = CellOf(path, stack, cell);
        if (stack.Readout is { } told && readout is { } asked && told != asked)
            throw new InvalidCallException($"{path}: the read-out is {told.Name()}, not {asked.Name()}; leave out `readout`, the file says it.");
        KerasVariables variables = new(path, file, stack, its, note);
        Architecture architecture = variables.Describe(readout, task);
        architecture.Validate(); // before anything of its sizes is made
        Network network = new(architecture, backend);
        try
        {
            variables.WriteTo(network.Parameters);
            _ = network.Parameters.ReadFinite();
        }
        catch
        {
            network.Dispose();
            throw;
        }

        if (stack.EndsInSoftmax) note($"the softmax of {ForeignText.Show(stack.Dense.Name)} is left out: the model's outputs are the logits");
        if (config is null)
            note($"masks and activations are not in the file: none are assumed but the cell's own, and perhaps a softmax behind {stack.Dense.Name}");
        return network;
    }

    private static Cell CellOf(string path, KerasStack stack, Cell? asked)
    {
        if (stack.Cell is not { } told)
        {
            if (asked is { } peeping && peeping.Spec().HasPeepholes)
                throw new InvalidCallException($"{path}: `cell` {peeping.Name()}: Keras has no such layer.");
            return asked ?? throw new InvalidCallException(
                $"{path}: `cell` is missing: a weights file does not tell its activations; {string.Join(", ", EnumNames.All<Cell>())}.");
        }

        return asked is null || asked.Value.Kind() == told.Kind()
            ? asked ?? told
            : throw new InvalidCallException($"{path}: the cell is {told.Name()}, not {asked.Value.Name()}; leave out `cell`, the file says it.");
    }
}
