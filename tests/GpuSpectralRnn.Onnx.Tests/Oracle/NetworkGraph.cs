using Google.Protobuf;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Oracle;

/// <summary>
/// A network as an ONNX graph: a node per layer, both directions in one, then the read-out. The input is <c>x</c> [T, B, I], or, for a network of
/// tokens, a constant [T, B]; the output <c>y</c>.
/// </summary>
internal sealed class NetworkGraph
{
    private readonly Network network;
    private readonly GraphMaker maker = new();
    private readonly int steps, batch;

    private NetworkGraph(Network network, int steps, int batch) => (this.network, this.steps, this.batch) = (network, steps, batch);

    private Architecture Architecture => network.Architecture;

    /// <summary>The file; lengths and tokens, where given, are constants in it.</summary>
    public static byte[] Write(Network network, int steps, int batch, int[]? lengths, int[]? tokens) =>
        new NetworkGraph(network, steps, batch).Write(lengths, tokens);

    private byte[] Write(int[]? lengths, int[]? tokens)
    {
        if (lengths is not null) maker.ShortIntegers("lengths", lengths);
        string below = "x";
        if (tokens is null)
        {
            maker.Input("x", steps, batch, Architecture.Inputs);
        }
        else
        {
            maker.Integers("tokens", [.. tokens.Select(token => (long)token)]).Integers("step_batch_inputs", steps, batch, Architecture.Inputs);
            maker.Constant("table", [Architecture.Vocabulary, Architecture.Inputs], Read("embedding.weight"));
            maker.Node("Gather", ["table", "tokens"], ["rows"]).Node("Reshape", ["rows", "step_batch_inputs"], ["x"]);
        }

        int inputs = Architecture.Inputs;
        for (int layer = 0; layer < Architecture.Layers; layer++)
        {
            AddLayer(layer, below, inputs, lengths is null ? "" : "lengths");
            inputs = Architecture.LayerOutputs(layer);
            below = $"out_{layer}";
        }

        switch (Architecture.Readout)
        {
            case Readout.Last:
                below = Flat($"h_{Architecture.Layers - 1}", [1, 0, 2], [batch, inputs]);
                break;
            case Readout.Mean:
                maker.Node("ReduceMean", [below], ["mean"], Attributes.Create("axes", [0L]), Attributes.Create("keepdims", 0));
                below = "mean";
                break;
            case Readout.LastStep:
                maker.Integers("end", -1).Node("Gather", [below, "end"], ["top"], Attributes.Create("axis", 0));
                below = "top";
                break;
        }

        maker.Constant("weight", [Architecture.Outputs, inputs], Read(Architecture.TiesWeights ? "embedding.weight" : "readout.weight"));
        maker.Constant("bias", [Architecture.Outputs], Read("readout.bias")).Node("Transpose", ["weight"], ["turned"]);
        maker.Node("MatMul", [below, "turned"], ["product"]).Node("Add", ["product", "bias"], ["y"]).Output("y");
        return maker.ToFile();
    }

    // out_LAYER [T, B, D H] and h_LAYER [D, B, H].
    private void AddLayer(int layer, string below, int inputs, string lengths)
    {
        int hidden = Architecture.Hidden[layer], directions = Architecture.Directions, gates = Architecture.Cell.Gates();
        (string type, int[] order) = Architecture.Cell switch
        {
            Cell.Lstm or Cell.LstmPeephole => ("LSTM", [0, 3, 1, 2]), // ONNX: i, o, f, g; here i, f, g, o
            Cell.Gru or Cell.GruResetBefore => ("GRU", [1, 0, 2]), // ONNX: z, r, n; here r, z, n
            _ => ("RNN", (int[])[0]),
        };
        string[] ends = directions == 2 ? [$"l{layer}", $"l{layer}_reverse"] : [$"l{layer}"];
        float[] Stacked(string end, string name, int width) =>
            [.. order.SelectMany(gate => Read($"rnn.{name}_{end}")[(gate * hidden * width)..((gate + 1) * hidden * width)])];
        maker.Constant($"w_{layer}", [directions, gates * hidden, inputs], [.. ends.SelectMany(end => Stacked(end, "weight_ih", inputs))]);
        maker.Constant($"r_{layer}", [directions, gates * hidden, hidden], [.. ends.SelectMany(end => Stacked(end, "weight_hh", hidden))]);
        float[] biases = [.. ends.SelectMany(end => (float[])[.. Stacked(end, "bias_ih", 1), .. Stacked(end, "bias_hh", 1)])];
        maker.Constant($"b_{layer}", [directions, 2 * gates * hidden], biases);
        string direction = directions == 2 ? "bidirectional" : "forward";
        List<AttributeProto> attributes = [Attributes.Create("hidden_size", hidden), Attributes.Create("direction", direction)];
        if (type == "GRU") attributes.Add(Attributes.Create("linear_before_reset", Architecture.Cell == Cell.Gru ? 1 : 0));
        if (type == "RNN")
        {
            ByteString activation = ByteString.CopyFromUtf8(Architecture.Cell == Cell.RnnTanh ? "Tanh" : "Relu");
            attributes.Add(new AttributeProto { Name = "activations", Type = 8, Strings = { Enumerable.Repeat(activation, directions) } });
        }

        List<string> operands = [below, $"w_{layer}", $"r_{layer}", $"b_{layer}", lengths];
        if (Architecture.Cell == Cell.LstmPeephole)
        {
            float[] Peepholes(string end) =>
                [.. ((int[])[0, 2, 1]).SelectMany(gate => Read($"rnn.weight_peephole_{end}")[(gate * hidden)..((gate + 1) * hidden)])]; // ONNX: i, o, f; here i, f, o
            maker.Constant($"p_{layer}", [directions, 3 * hidden], [.. ends.SelectMany(Peepholes)]);
            operands.AddRange(["", "", $"p_{layer}"]);
        }

        maker.Node(type, [.. operands], [$"all_{layer}", $"h_{layer}"], [.. attributes]);
        string flat = Flat($"all_{layer}", [0, 2, 1, 3], [steps, batch, directions * hidden]);
        maker.Node("Identity", [flat], [$"out_{layer}"]);
    }

    private string Flat(string name, long[] order, long[] extents)
    {
        maker.Integers($"{name}_extents", extents).Node("Transpose", [name], [$"{name}_turned"], Attributes.Create("perm", order));
        maker.Node("Reshape", [$"{name}_turned", $"{name}_extents"], [$"{name}_flat"]);
        return $"{name}_flat";
    }

    private float[] Read(string name) => network.Parameters.Read(name);
}
