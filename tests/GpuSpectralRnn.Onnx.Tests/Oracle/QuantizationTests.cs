using Google.Protobuf;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Oracle;

/// <summary>
/// LSTM nodes that are written here are such as ONNX Runtime's quantize_dynamic takes: W and R are initializers of the main graph, of 32-bit floats, with
/// three axes. What it makes of them is made here by hand, DynamicQuantizeLSTM with weights of 8 bits, and ONNX Runtime runs it.
/// </summary>
public class QuantizationTests
{
    private const int Steps = 9, Inputs = 3, Hidden = 16;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Exported_nodes_run_with_weights_of_eight_bits(bool isBidirectional)
    {
        using HostBackend host = new(1);
        Architecture architecture =
            new() { Cell = Cell.Lstm, Inputs = Inputs, Hidden = [Hidden], IsBidirectional = isBidirectional, Readout = Readout.Every, Outputs = 2 };
        using Network network = SmallNetworks.Make(architecture, host);
        ModelProto model = StackGraph.Build(network, new GraphOptions());
        float[] x = Runs.Data("x", Steps, Inputs)["x"].As<float>();
        Compare(model, "output", ("input", [1, Steps, Inputs], x));
    }

    /// <summary>Also where the original made its weights in the graph, which quantize_dynamic leaves alone.</summary>
    [Fact]
    public void Compressed_nodes_run_with_weights_of_eight_bits()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("LSTM", "cell", "x", Inputs, Hidden);
        maker.Graph.Initializer.First(tensor => tensor.Name == "cell_r").Name = "made";
        maker.Graph.Node.Insert(0, new NodeProto { OpType = "Identity", Input = { "made" }, Output = { "cell_r" } });
        Runs.WithFile(maker.Result("cell_y").ToFile(), path =>
        {
            using GraphCompression compression = new(path, Runs.Data("x", 20, Steps, 1, Inputs), CallOptions.None);
            ModelProto small = ModelProto.Parser.ParseFrom(compression.Compress([6]).File);
            Compare(small, "cell_y", ("x", [Steps, 1, Inputs], Runs.Data("x", Steps, Inputs)["x"].As<float>()));
        });
    }

    private static void Compare(ModelProto model, string output, (string, long[], float[]) given)
    {
        float[] expected = Runs.Once(model.ToByteArray(), given)[output].Values;
        NodeProto node = Assert.Single(model.Graph.Node, node => node.OpType == "LSTM");
        node.OpType = "DynamicQuantizeLSTM";
        node.Domain = "com.microsoft";
        model.OpsetImport.Add(new OperatorSetProto { Domain = node.Domain, Version = 1 });
        while (node.Input.Count < 8) node.Input.Add("");
        foreach (int i in (int[])[1, 2])
        {
            TensorProto weights = Assert.Single(model.Graph.Initializer, tensor => tensor.Name == node.Input[i]);
            Assert.Equal((Tensors.Float, 3), (weights.DataType, weights.Dims.Count));
            (string name, string scale, string zero) = Quantize(model.Graph, weights);
            node.Input[i] = name;
            node.Input.Add(scale);
            node.Input.Add(zero);
        }

        float[] found = Runs.Once(model.ToByteArray(), given)[output].Values;

        // A weight is off by 1/254 of the largest at most, an input and a state by 1/510 of their range, through sums of 19 products in four gates and nine
        // steps of a recurrence: some hundredths. Gates in another order, or weights not transposed, give an error as large as the outputs.
        double largest = expected.Max(Math.Abs), mean = expected.Zip(found, (a, b) => Math.Abs((double)a - b)).Average();
        Assert.InRange(mean, 1e-6, 0.1 * largest);
    }

    // [D, G H, n] as [D, n, G H] of 8 bits, symmetric, one scale for each direction.
    private static (string Name, string Scale, string Zero) Quantize(GraphProto graph, TensorProto weights)
    {
        (int directions, int rows, int columns) = ((int)weights.Dims[0], (int)weights.Dims[1], (int)weights.Dims[2]);
        float[] values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(weights.RawData.Span).ToArray();
        float[] scales = new float[directions];
        byte[] small = new byte[values.Length];
        for (int d = 0; d < directions; d++)
        {
            Span<float> own = values.AsSpan(d * rows * columns, rows * columns);
            foreach (float value in own) scales[d] = Math.Max(scales[d], Math.Abs(value) / 127);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                    small[(((d * columns) + column) * rows) + row] = (byte)(sbyte)MathF.Round(own[(row * columns) + column] / scales[d]);
            }
        }

        const int Int8 = 3;
        string name = $"{weights.Name}_8";
        graph.Initializer.Add(new TensorProto { Name = name, DataType = Int8, Dims = { directions, columns, rows }, RawData = ByteString.CopyFrom(small) });
        graph.Initializer.Add(Tensors.Create($"{name}_scale", [directions], scales));
        graph.Initializer.Add(
            new TensorProto { Name = $"{name}_zero", DataType = Int8, Dims = { directions }, RawData = ByteString.CopyFrom(new byte[directions]) });
        return (name, $"{name}_scale", $"{name}_zero");
    }
}
