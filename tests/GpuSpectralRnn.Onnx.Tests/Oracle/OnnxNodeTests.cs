using System.Runtime.InteropServices;
using Google.Protobuf;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Oracle;

/// <summary>
/// The cases that ONNX publishes for its nodes RNN, LSTM and GRU (Debian: libonnx-testdata): a layer here gives the published outputs, and so does the
/// graph as it is read here in ONNX Runtime, which does not run those with layout=1 as they are.
/// </summary>
public class OnnxNodeTests
{
    private const string Folder = "/usr/share/libonnx-testdata/data/node";

    public static TheoryData<string> Cases =>
    [
        "test_simple_rnn_defaults",
        "test_simple_rnn_with_initial_bias",
        "test_rnn_seq_length",
        "test_simple_rnn_batchwise",
        "test_lstm_defaults",
        "test_lstm_with_initial_bias",
        "test_lstm_batchwise",
        "test_lstm_with_peepholes",
        "test_gru_defaults",
        "test_gru_with_initial_bias",
        "test_gru_batchwise",
        "test_gru_seq_length",
    ];

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void A_layer_gives_the_published_outputs(string name) => new Case(name).CheckOutputs();

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void The_graph_as_it_is_read_gives_the_published_outputs(string name) => new Case(name).CheckGraph();

    [SkippableFact]
    public void No_case_is_left_out()
    {
        string[] published = [.. Directory.GetDirectories(Existing).Where(folder => Case.NodeOf(folder) is { OpType: "RNN" or "LSTM" or "GRU" })
            .Select(folder => Path.GetFileName(folder)!)];
        Assert.Equal(published.Order(StringComparer.Ordinal), ((IEnumerable<object[]>)Cases).Select(row => (string)row[0]).Order(StringComparer.Ordinal));
    }

    private static string Existing
    {
        get
        {
            Skip.IfNot(Directory.Exists(Folder), $"The published cases are not here: {Folder} (libonnx-testdata).");
            return Folder;
        }
    }

    private sealed class Case
    {
        private readonly string folder;
        private readonly NodeProto node;
        private readonly TensorProto?[] inputs = new TensorProto?[8]; // X, W, R, B, lengths, h_0, c_0, P
        private readonly TensorProto?[] outputs = new TensorProto?[3]; // Y, Y_h, Y_c
        private readonly bool isBatchFirst;
        private readonly CellKind cell;
        private readonly int steps, batch, extent, hidden;

        public Case(string name)
        {
            folder = Path.Combine(Existing, name);
            node = NodeOf(folder)!;
            Load(Path.Combine(folder, "test_data_set_0", "input_"), node.Input, inputs);
            Load(Path.Combine(folder, "test_data_set_0", "output_"), node.Output, outputs);
            isBatchFirst = Attributes.Integer(node, "layout", 0) == 1;
            cell = node.OpType switch { "LSTM" => inputs[7] is null ? CellKind.Lstm : CellKind.LstmPeephole, "GRU" => ResetsBefore ? CellKind.GruResetBefore : CellKind.Gru, _ => CellKind.RnnTanh };
            int[] extents = [.. inputs[0]!.Dims.Select(dim => (int)dim)];
            (steps, batch, extent) = isBatchFirst ? (extents[1], extents[0], extents[2]) : (extents[0], extents[1], extents[2]);
            hidden = (int)inputs[2]!.Dims[2];
            Assert.Equal(1, inputs[1]!.Dims[0]); // one direction
            Assert.Null(Attributes.Find(node, "activations"));
        }

        private bool ResetsBefore => Attributes.Integer(node, "linear_before_reset", 0) == 0;

        /// <summary>The one node of a case's graph.</summary>
        public static NodeProto? NodeOf(string folder) =>
            ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, "model.onnx"))).Graph.Node.FirstOrDefault();

        public void CheckOutputs()
        {
            using HostBackend host = new(1);
            int[] order = cell switch { CellKind.Lstm or CellKind.LstmPeephole => [0, 2, 3, 1], CellKind.RnnTanh => [0], _ => [1, 0, 2] }; // of i, o, f, g; of z, r, n
            RecurrentShape shape = new(cell, steps, batch, extent, hidden);
            int rows = shape.GateRows;
            float[] biases = inputs[3] is null ? new float[2 * rows] : Floats(inputs[3]!);
            float[] Gates(float[] values, int width) => [.. order.SelectMany(gate => values[(gate * hidden * width)..((gate + 1) * hidden * width)])];
            Tensor Make(float[] values, params int[] extents)
            {
                Tensor tensor = host.Allocate(new Shape(extents));
                tensor.CopyFrom<float>(values);
                return tensor;
            }

            RecurrentWeights weights = new(
                Make(Gates(Floats(inputs[1]!), extent), rows, extent),
                Make(Gates(Floats(inputs[2]!), hidden), rows, hidden),
                Make(Gates(biases[..rows], 1), rows),
                Make(Gates(biases[rows..], 1), rows),
                inputs[7] is null ? null : Make([.. ((int[])[0, 2, 1]).SelectMany(gate => Floats(inputs[7]!)[(gate * hidden)..((gate + 1) * hidden)])], 3 * hidden)); // i, o, f
            Tensor x = Make(isBatchFirst ? Turn(Floats(inputs[0]!), batch, steps, extent) : Floats(inputs[0]!), steps, batch, extent);
            Assert.All([inputs[5], inputs[6]], state => Assert.True(state is null || Floats(state).All(value => value == 0))); // every published case starts at zero
            Tensor? lengths = inputs[4] is null ? null : host.Allocate(new Shape(batch), ElementType.Int32);
            lengths?.CopyFrom<int>(Lengths(inputs[4]!));
            using RecurrentWorkspace workspace = host.Recurrent.Prepare(shape, isTraining: false);
            Tensor states = host.Allocate(new Shape(steps, batch, hidden));
            RecurrentState final = new(
                host.Allocate(new Shape(batch, hidden)), shape.Spec.HasCellState ? host.Allocate(new Shape(batch, hidden)) : null);

            host.Recurrent.Forward(new(workspace, weights, x, null, states, final, lengths));

            // Published in single precision, from sums of at most 5 products in another order.
            const double Tolerance = 1e-6;
            Assert.Contains(outputs, output => output is not null);
            if (outputs[0] is { } all) Runs.Close(isBatchFirst ? Turn(Floats(all), batch, steps, hidden) : Floats(all), states.ToArray(), Tolerance);
            if (outputs[1] is { } last) Runs.Close(Floats(last), final.Hidden.ToArray(), Tolerance);
            if (outputs[2] is { } memory) Runs.Close(Floats(memory), final.Cell!.ToArray(), Tolerance);
        }

        public void CheckGraph()
        {
            ModelProto read = OnnxFile.Load(Path.Combine(folder, "model.onnx"));
            (string, long[], Array)[] given = [.. Enumerable.Range(0, node.Input.Count).Where(i => inputs[i] is not null)
                .Select(i => (node.Input[i], (long[])[.. inputs[i]!.Dims], i == 4 ? Lengths(inputs[i]!) : (Array)Floats(inputs[i]!)))];
            Dictionary<string, (long[] Shape, float[] Values)> found = Runs.Once(read.ToByteArray(), given);
            for (int i = 0; i < node.Output.Count; i++)
            {
                if (outputs[i] is not { } expected) continue;
                Assert.Equal(expected.Dims, found[node.Output[i]].Shape);
                Runs.Close(Floats(expected), found[node.Output[i]].Values, 1e-6);
            }
        }

        private static int[] Lengths(TensorProto tensor) => MemoryMarshal.Cast<byte, int>(tensor.RawData.Span).ToArray();

        // Files are numbered by the names that are given.
        private static void Load(string path, IList<string> names, TensorProto?[] values)
        {
            int file = 0;
            for (int i = 0; i < names.Count; i++)
                if (names[i].Length > 0) values[i] = TensorProto.Parser.ParseFrom(File.ReadAllBytes($"{path}{file++}.pb"));
        }

        private static float[] Floats(TensorProto tensor) => MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();

        // [m, n, width] as [n, m, width].
        private static float[] Turn(float[] values, int m, int n, int width) =>
            [.. Enumerable.Range(0, m * n).SelectMany(i => values.Skip(((i % m * n) + (i / m)) * width).Take(width))];
    }
}
