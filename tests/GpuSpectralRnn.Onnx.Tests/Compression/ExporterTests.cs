using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>Graphs as PyTorch's newer exporter writes them, compressed and imported.</summary>
public class ExporterTests
{
    private const int Steps = 7, Inputs = 3, Hidden = 10, Keep = 4, Outputs = 2;

    public static TheoryData<string, int, int, bool, bool> Graphs => new()
    {
        { "LSTM", 1, 1, false, true }, { "LSTM", 1, 1, true, true }, { "GRU", 1, 1, false, false }, { "GRU", 2, 1, true, true },
        { "LSTM", 2, 2, false, true }, { "LSTM", 2, 2, true, false }, { "GRU", 1, 2, true, true },
    };

    /// <summary>All readers are linear: no product with A_J is left, batches and lengths other than in the calibration run.</summary>
    [Theory]
    [MemberData(nameof(Graphs))]
    public void Graphs_of_the_dynamo_exporter_are_cut_without_products(string type, int layers, int directions, bool isLastOnly, bool keepsConstant) => Runs.WithFile(
        DynamoGraph.Make(type, Inputs, Hidden, Outputs, layers, directions, isLastOnly, keepsConstant), path =>
        {
            using GraphCompression compression = new(path, Runs.Data("x", 20, 1, Steps, Inputs), CallOptions.None);
            SmallGraph small = compression.Compress([.. Enumerable.Repeat(Keep, layers)]);
            ModelProto model = ModelProto.Parser.ParseFrom(small.File);

            Assert.All(compression.Prove(small, rounds: 0).Nodes, node => Assert.Equal(Keep, node.After));
            Assert.DoesNotContain(model.Graph.Node, node => node.Name.EndsWith("/whole", StringComparison.Ordinal));
            Assert.Equal(layers, model.Graph.Node.Count(node => node.OpType == type));

            // A batch gives what its rows give.
            const int batch = 3, longer = 11;
            float[] x = Runs.Data("x", batch, longer, Inputs)["x"].As<float>();
            float[] together = Runs.Once(small.File, ("x", [batch, longer, Inputs], x))["linear"].Values;
            float[] alone = [.. x.Chunk(longer * Inputs).SelectMany(row => Runs.Once(small.File, ("x", [1, longer, Inputs], row))["linear"].Values)];
            Runs.Close(alone, together, 1e-5);
        });

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Graphs_of_the_dynamo_exporter_are_imported(string type, int layers, int directions, bool isLastOnly, bool keepsConstant)
    {
        byte[] file = DynamoGraph.Make(type, Inputs, Hidden, Outputs, layers, directions, isLastOnly, keepsConstant);
        Runs.WithFile(file, path =>
        {
            using IBackend backend = Devices.Open("host");
            using Network network = OnnxImport.Read(path, backend).Network;
            const int batch = 3, steps = 5;
            float[] x = Runs.Data("x", batch, steps, Inputs)["x"].As<float>(), expected = Runs.Once(file, ("x", [batch, steps, Inputs], x))["linear"].Values;
            float[] found = SmallNetworks.Predict(network, x, batch, steps);
            Runs.Close(expected, isLastOnly ? found : Turned(found, batch, steps), 1e-5);
        });
    }

    // [T, N, M] to [N, T, M].
    private static float[] Turned(float[] values, int batch, int steps) =>
        [.. from n in Enumerable.Range(0, batch) from t in Enumerable.Range(0, steps) from m in Enumerable.Range(0, Outputs) select values[(t * batch + n) * Outputs + m]];
}
