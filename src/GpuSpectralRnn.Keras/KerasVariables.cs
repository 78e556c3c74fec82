using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Keras;

/// <summary>
/// The variables of a stack in this project's order. Keras has kernel [I, G*H], recurrent_kernel [H, G*H] and bias [G*H], of a GRU [2, 3H] (input,
/// recurrent). Gates of an LSTM are i, f, c, o, the order of this project; of a GRU z, r, h, where this project has r, z, n.
/// </summary>
internal sealed class KerasVariables
{
    private readonly string path;
    private readonly WeightsFile file;
    private readonly KerasStack stack;
    private readonly Cell cell;
    private readonly Action<string> note;
    private readonly int vocabulary; // V, or 0
    private readonly int inputs; // I of the first layer
    private readonly int[] hidden; // H of each
    private readonly int outputs;

    /// <summary>Takes the sizes from the file; allocates nothing.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="file">The weights.</param>
    /// <param name="stack">The layers.</param>
    /// <param name="cell">Of every recurrent layer.</param>
    /// <param name="note">Receives the assumptions, a line each.</param>
    /// <exception cref="InvalidCallException">The kernels are those of another cell.</exception>
    /// <exception cref="BrokenFileException">A variable is absent or no matrix.</exception>
    public KerasVariables(string path, WeightsFile file, KerasStack stack, Cell cell, Action<string> note)
    {
        (this.path, this.file, this.stack, this.cell, this.note) = (path, file, stack, cell, note);
        if (stack.Embedding is { } table) vocabulary = file.Extents($"{table.Path}/vars/0", 2)[0];
        hidden = [.. stack.Recurrent.Select(Hidden)];
        inputs = file.Extents($"{Cells(stack.Recurrent[0])[0]}/vars/0", 2)[0];
        outputs = file.Extents($"{stack.Dense.Path}/vars/0", 2)[1];
    }

    /// <summary>The network's architecture; not yet validated.</summary>
    /// <param name="asked">The read-out, where the file does not tell it.</param>
    /// <param name="task">Task of the network; null: derived from the stack.</param>
    public Architecture Describe(Readout? asked, TaskKind? task) => new()
    {
        Cell = cell,
        Inputs = inputs,
        Vocabulary = vocabulary,
        Hidden = hidden,
        IsBidirectional = stack.Recurrent[0].IsBidirectional,
        Readout = stack.Readout ?? asked ?? (vocabulary > 0 && vocabulary == outputs ? Readout.Every : Readout.Last),
        Outputs = outputs,
        Task = task ?? (outputs == 1 && !stack.EndsInSoftmax ? TaskKind.Regression : TaskKind.Classification),
    };

    /// <summary>Writes them into a network of <see cref="Describe"/>.</summary>
    /// <exception cref="BrokenFileException">A variable is absent or of other extents than those beside it need.</exception>
    public void WriteTo(Parameters parameters)
    {
        if (stack.Embedding is { } table) parameters.Write(ParameterSpec.Embedding, file.Read($"{table.Path}/vars/0", vocabulary, inputs));
        int width = inputs;
        for (int layer = 0; layer < hidden.Length; layer++)
        {
            string[] cells = Cells(stack.Recurrent[layer]);
            for (int direction = 0; direction < cells.Length; direction++)
                WriteCell(parameters, cells[direction], width, hidden[layer], $"l{layer}{(direction == 0 ? "" : ParameterSpec.Reverse)}");
            width = cells.Length * hidden[layer];
        }

        string dense = stack.Dense.Path;
        parameters.Write(ParameterSpec.Readout, Transposed(file.Read($"{dense}/vars/0", width, outputs), width, outputs));
        if (file.Has($"{dense}/vars/1")) parameters.Write("readout.bias", file.Read($"{dense}/vars/1", outputs));
    }

    private static string[] Cells(KerasLayer layer) => layer.IsBidirectional
        ? [$"{layer.Path}/forward_layer/cell", $"{layer.Path}/backward_layer/cell"]
        : [$"{layer.Path}/cell"];

    // [rows, columns] as [columns, rows].
    private static float[] Transposed(float[] values, int rows, int columns)
    {
        float[] turned = new float[values.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++) turned[(column * rows) + row] = values[(row * columns) + column];
        }

        return turned;
    }

    private int Hidden(KerasLayer layer)
    {
        int[] extents = file.Extents($"{Cells(layer)[0]}/vars/1", 2);
        return extents[1] == (long)cell.Gates() * extents[0]
            ? extents[0]
            : throw new InvalidCallException(
                $"{path}: layer {ForeignText.Show(layer.Name)}: a recurrent kernel [{extents[0]}, {extents[1]}] is not of the `cell` {cell.Name()}.");
    }

    private void WriteCell(Parameters parameters, string place, int width, int units, string end)
    {
        int rows = cell.Gates() * units;
        parameters.Write($"rnn.weight_ih_{end}", Gates(Transposed(file.Read($"{place}/vars/0", width, rows), width, rows)));
        parameters.Write($"rnn.weight_hh_{end}", Gates(Transposed(file.Read($"{place}/vars/1", units, rows), units, rows)));
        string bias = $"{place}/vars/2";
        if (!file.Has(bias))
        {
            if (cell.Spec().ResetsProduct && stack.Cell is null)
                note($"{ForeignText.Show(place)} has no bias, and is taken for a GRU with reset_after=True");
            return; // use_bias=False; zeros are the same
        }

        if (!cell.Spec().ResetsProduct)
        {
            parameters.Write($"rnn.bias_ih_{end}", Gates(file.Read(bias, rows)));
            return;
        }

        if (stack.Cell is null && file.Rank(bias) == 1)
        {
            throw new InvalidCallException(
                $"{path}: {ForeignText.Show(place)} is a GRU with reset_after=False, whose `cell` is gru-reset-before.");
        }

        float[] both = file.Read(bias, 2, rows);
        parameters.Write($"rnn.bias_ih_{end}", Gates(both[..rows]));
        parameters.Write($"rnn.bias_hh_{end}", Gates(both[rows..]));
    }

    private float[] Gates(float[] rows) => cell.Spec().KerasOrder is { } order ? CellSpec.PutBlocks(order, rows) : rows;
}
