using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>
/// A network as an ONNX graph: <c>input</c> float [batch, time, I] or int64 tokens [batch, time]; <c>output</c> [batch, O], or [batch, time, O] of a
/// read-out of every step. Between them one RNN, LSTM or GRU node per layer, time-major as ONNX Runtime wants them.
/// </summary>
internal sealed class StackGraph
{
    private const string Batch = "batch", Time = "time", Lengths = "lengths";

    private readonly NodeWriter writer = new();
    private readonly Network network;
    private readonly GraphOptions options;

    private StackGraph(Network network, GraphOptions options) => (this.network, this.options) = (network, options);

    private Architecture Architecture => network.Architecture;

    private CellSpec Cell => Architecture.Cell.Spec();

    /// <summary>Makes the graph.</summary>
    public static ModelProto Build(Network network, GraphOptions options)
    {
        StackGraph stack = new(network, options);
        stack.Write();
        ModelProto model = new()
        {
            IrVersion = options.Opset < 15 ? 7 : 8, // the oldest formats that these operators came with
            ProducerName = "gsrnn",
            Graph = stack.writer.Graph,
            OpsetImport = { new OperatorSetProto { Domain = "", Version = options.Opset } },
        };
        foreach ((string key, string value) in ModelNotes.Write(network)) model.MetadataProps.Add(new PropertyProto { Key = key, Value = value });
        return model;
    }

    private void Write()
    {
        network.Parameters.Form();
        string x = Architecture.HasEmbedding
            ? writer.Node("Gather", "embedded", [Weights(ParameterSpec.Embedding), writer.Input("input", Tensors.Int64, Batch, Time)])
            : writer.Input("input", Tensors.Float, Batch, Time, Architecture.Inputs);
        if (options.TakesLengths) writer.Input(Lengths, Tensors.Int32, Batch);
        x = writer.Transpose("steps", x, 1, 0, 2);
        for (int layer = 0; layer < Architecture.Layers - 1; layer++) x = PassedOn(Layer(layer, x, needsSteps: true), layer);
        int top = Architecture.Layers - 1;
        bool seesFinal = Architecture.Readout == Readout.Last || (Architecture.Readout == Readout.LastStep && !Architecture.IsBidirectional);
        RecurrentResults results = Layer(top, x, needsSteps: !seesFinal);
        string seen = seesFinal ? Final(results.Final) : Seen(PassedOn(results, top));
        string product = writer.Node("MatMul", "readout_product", [seen, ReadoutWeights()]);
        writer.Node("Add", "output", [product, Weights("readout.bias")]);
        WriteOutputs(top);
    }

    // Results come in the order in which a caller looks for them: the answer first.
    private void WriteOutputs(int top)
    {
        writer.Output("output", Architecture.Readout == Readout.Every ? [Batch, Time, Architecture.Outputs] : [Batch, Architecture.Outputs]);
        for (int layer = 0; options.IsStateful && layer <= top; layer++)
        {
            foreach (string state in States(layer)) writer.Output($"{state}_next", 1, Batch, Architecture.Hidden[layer]);
        }
    }

    private string[] States(int layer) => Cell.HasCellState ? [$"h_l{layer}", $"c_l{layer}"] : [$"h_l{layer}"];

    // x [time, batch, I] -> states of all steps [time, D, batch, H], final h [D, batch, H].
    private RecurrentResults Layer(int layer, string x, bool needsSteps)
    {
        int hidden = Architecture.Hidden[layer], directions = Architecture.Directions, rows = Cell.Gates * hidden;
        RecurrentWeights[] weights = [.. Enumerable.Range(0, directions).Select(direction =>
            network.Parameters.Recurrent(Architecture.RecurrenceName((layer * directions) + direction)))];
        string w = writer.Constant($"rnn.W_l{layer}", [directions, rows, Architecture.LayerInputs(layer)], Stacked(weights, w => [w.InputWeights]));
        string r = writer.Constant($"rnn.R_l{layer}", [directions, rows, hidden], Stacked(weights, w => [w.HiddenWeights]));
        string b = writer.Constant($"rnn.B_l{layer}", [directions, 2 * rows], Stacked(weights, w => [w.InputBias, w.HiddenBias]));
        List<string> inputs = [x, w, r, b, options.TakesLengths ? Lengths : ""];
        if (options.IsStateful) inputs.AddRange(States(layer).Select(state => writer.Input(state, Tensors.Float, 1, Batch, hidden)));
        if (Cell.HasPeepholes)
        {
            float[] peepholes = [.. weights.SelectMany(w => CellSpec.TakeBlocks(OnnxCell.PeepholeOrder, w.Peepholes!.ToArray()))];
            inputs.AddRange(Enumerable.Repeat("", (int)RecurrentInput.P - inputs.Count));
            inputs.Add(writer.Constant($"rnn.P_l{layer}", [directions, 3 * hidden], peepholes));
        }

        if (inputs[^1].Length == 0) inputs.RemoveAt(inputs.Count - 1);
        string final = options.IsStateful ? $"h_l{layer}_next" : needsSteps ? "" : $"h_l{layer}_final";
        RecurrentResults results = new(needsSteps ? $"steps_l{layer}" : "", final);
        List<string> names = [results.Steps, results.Final];
        if (options.IsStateful && Cell.HasCellState) names.Add($"c_l{layer}_next");
        if (names[^1].Length == 0) names.RemoveAt(names.Count - 1);
        writer.Node(Cell.Onnx.Operator, [.. names], [.. inputs], [.. Settings(hidden)]);
        return results;
    }

    private IEnumerable<AttributeProto> Settings(int hidden)
    {
        yield return Attributes.Create("hidden_size", hidden);
        yield return Attributes.Create("direction", Architecture.IsBidirectional ? "bidirectional" : "forward");
        if (Cell.ResetsProduct) yield return Attributes.Create("linear_before_reset", 1);
        if (Cell.Gates == 1) yield return Attributes.OfWords("activations", Enumerable.Repeat(Cell.Onnx.Activations[0], Architecture.Directions));
    }

    private float[] Stacked(RecurrentWeights[] directions, Func<RecurrentWeights, Tensor[]> parts) =>
        [.. directions.SelectMany(parts).SelectMany(tensor => GateOrder.ToOnnx(Architecture.Cell, tensor.ToArray()))];

    // [time, D, batch, H] -> [time, batch, D H]
    private string PassedOn(RecurrentResults results, int layer) => Architecture.IsBidirectional
        ? writer.Node("Reshape", $"both_l{layer}", [writer.Transpose($"sides_l{layer}", results.Steps, 0, 2, 1, 3), writer.Integers(0, 0, -1)])
        : writer.Node("Squeeze", $"states_l{layer}", [results.Steps, writer.Integers(1)]);

    // [D, batch, H] -> [batch, D H]
    private string Final(string final) => Architecture.IsBidirectional
        ? writer.Node("Reshape", "seen", [writer.Transpose("sides_final", final, 1, 0, 2), writer.Integers(0, -1)])
        : writer.Node("Squeeze", "seen", [final, writer.Integers(0)]);

    // [time, batch, D H] -> [batch, time, D H] of every step, [batch, D H] of the others
    private string Seen(string states)
    {
        switch (Architecture.Readout)
        {
            case Readout.Every:
                return writer.Transpose("seen", states, 1, 0, 2);

            case Readout.Mean: // states beyond a sequence's length are zero
                string sum = writer.Node("ReduceSum", "sum", [states, writer.Integers(0)], Attributes.Create("keepdims", 0));
                string count = options.TakesLengths
                    ? writer.Node("Unsqueeze", "count", [Lengths, writer.Integers(1)])
                    : writer.Node("Gather", "count", [writer.Node("Shape", "extents", [states]), writer.Integers(0)]);
                return writer.Node("Div", "seen", [sum, writer.Node("Cast", "count_float", [count], Attributes.Create("to", Tensors.Float))]);

            default: // the last step of both directions
                if (!options.TakesLengths)
                    return writer.Node("Squeeze", "seen", [writer.Node("Gather", "last_step", [states, writer.Integers(-1)]), writer.Integers(0)]);
                string lengths = writer.Node("Cast", "lengths_int64", [Lengths], Attributes.Create("to", Tensors.Int64));
                string last = writer.Node("Add", "last", [writer.Node("Unsqueeze", "length", [lengths, writer.Integers(1)]), writer.Integers(-1)]);
                return writer.Node("GatherND", "seen", [writer.Transpose("rows", states, 1, 0, 2), last], Attributes.Create("batch_dims", 1));
        }
    }

    // [D H, O]; of tied weights the embedding, transposed in the graph, so that the file holds it once.
    private string ReadoutWeights()
    {
        if (Architecture.TiesWeights) return writer.Transpose("readout.weight", ParameterSpec.Embedding, 1, 0);
        (int rows, int columns) = (Architecture.Outputs, Architecture.LayerOutputs(Architecture.Layers - 1));
        float[] values = network.Parameters.Read(Architecture.ReadoutWeight);
        return writer.Constant("readout.weight", [columns, rows], Answers.Turned(values, rows, columns, 1));
    }

    private string Weights(string name) => writer.Constant(name, network.Parameters[name].Shape.ToArray(), network.Parameters.Read(name));

    private sealed record RecurrentResults(string Steps, string Final);
}
