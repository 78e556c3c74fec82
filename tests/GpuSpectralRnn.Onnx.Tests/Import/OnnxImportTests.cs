using Google.Protobuf;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Import;

public sealed class OnnxImportTests : IDisposable
{
    private readonly HostBackend host = new(1);
    private readonly string path = Path.Combine(Path.GetTempPath(), $"gsrnn-{Guid.NewGuid():N}.onnx");

    public void Dispose()
    {
        host.Dispose();
        File.Delete(path);
    }

    public static TheoryData<Cell, Readout, bool, bool, bool> Cases() => Export.OnnxExportTests.Cases();

    [Theory]
    [MemberData(nameof(Cases))]
    public void WhatIsExportedComesBack(Cell cell, Readout readout, bool isBidirectional, bool isStateful, bool takesLengths)
    {
        Architecture architecture = new()
        {
            Cell = cell, Inputs = 3, Hidden = [5, 4], IsBidirectional = isBidirectional, Readout = readout, Outputs = 2, Task = TaskKind.Regression,
            View = "row", Data = new Dictionary<string, string> { ["name"] = "digits" },
        };
        using Network network = SmallNetworks.Make(architecture, host);
        GraphOptions options = new() { IsStateful = isStateful, TakesLengths = takesLengths };
        OnnxExport.Save(path, network, options);
        byte[] first = File.ReadAllBytes(path);
        (Network back, double difference) = OnnxImport.Read(path, host);
        using Network owned = back;

        Assert.Equal(architecture, back.Architecture);
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
        Assert.InRange(difference, 0, Answers.Tolerance);
        OnnxExport.Save(path, back, options);
        Assert.Equal(first, File.ReadAllBytes(path));
    }

    // Without a word in the metadata the graph alone tells.
    [Theory]
    [MemberData(nameof(Cases))]
    public void ABareGraphSaysEnough(Cell cell, Readout readout, bool isBidirectional, bool isStateful, bool takesLengths)
    {
        Architecture architecture =
            new() { Cell = cell, Inputs = 3, Hidden = [5], IsBidirectional = isBidirectional, Readout = readout, Outputs = 2 };
        using Network network = SmallNetworks.Make(architecture, host);
        ModelProto model = StackGraph.Build(network, new GraphOptions { IsStateful = isStateful, TakesLengths = takesLengths });
        model.MetadataProps.Clear();
        OnnxFile.Save(path, model);
        using Network back = OnnxImport.Read(path, host).Network;

        Assert.Equal(cell == Cell.Irnn ? Cell.RnnRelu : cell, back.Architecture.Cell);
        Assert.Equal(readout == Readout.LastStep && !isBidirectional ? Readout.Last : readout, back.Architecture.Readout);
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LanguageModelsComeBackWithTheirWords(bool isTied)
    {
        Architecture architecture = new()
        {
            Cell = Cell.Lstm, Vocabulary = 5, Inputs = 4, Hidden = [6, 4], Outputs = 5, Readout = Readout.Every, TiesWeights = isTied,
            Tokens = ["<eos>", "<unk>", "the", "cat", "sat"], Unit = GpuSpectralRnn.Data.TextUnit.Word,
        };
        using Network network = SmallNetworks.Make(architecture, host);
        OnnxExport.Save(path, network, new GraphOptions());
        using Network back = OnnxImport.Read(path, host).Network;
        Assert.Equal(architecture, back.Architecture);
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
    }

    [Fact]
    public void FactorsComeBackMultipliedOut()
    {
        Architecture architecture = new() { Cell = Cell.Gru, Inputs = 3, Hidden = [5, 4], RecurrentRank = [2, 0], Outputs = 2 };
        using Network network = SmallNetworks.Make(architecture, host);
        OnnxExport.Save(path, network, new GraphOptions());
        (Network back, double difference) = OnnxImport.Read(path, host);
        using Network owned = back;
        Assert.Equal(architecture with { RecurrentRank = null }, back.Architecture);
        Assert.InRange(difference, 0, Answers.Tolerance);
    }

    [Fact]
    public void MetadataOfAnotherNetworkCountForNothing()
    {
        using Network network = SmallNetworks.Make(new() { Cell = Cell.Gru, Inputs = 3, Hidden = [5], Outputs = 2 }, host);
        ModelProto model = StackGraph.Build(network, new GraphOptions());
        foreach (string told in (string[])[(network.Architecture with { Hidden = [6], Task = TaskKind.Regression }).ToJson(), "{", "null"])
        {
            model.MetadataProps[0].Value = told;
            OnnxFile.Save(path, model);
            using Network back = OnnxImport.Read(path, host).Network;
            Assert.Equal(network.Architecture, back.Architecture);
        }
    }

    // In one step all read-outs are alike: the note says so, and an axis of steps decides.
    [Theory]
    [InlineData(Readout.Every, Readout.Every)]
    [InlineData(Readout.Last, Readout.Last)]
    public void AGraphOfOneStepIsTakenByItsAxes(Readout readout, Readout expected)
    {
        using Network network = SmallNetworks.Make(new() { Cell = Cell.Lstm, Inputs = 2, Hidden = [3], Readout = readout, Outputs = 2 }, host);
        ModelProto model = StackGraph.Build(network, new GraphOptions { IsStateful = true });
        model.MetadataProps.Clear();
        model.Graph.Input[0].Type.TensorType.Shape.Dim[1] = new DimensionProto { DimValue = 1 };
        OnnxFile.Save(path, model);
        List<string> notes = [];
        using Network back = OnnxImport.Read(path, host, note: notes.Add).Network;
        Assert.Equal(expected, back.Architecture.Readout);
        Assert.Contains(notes, note => note.Contains("single step") && note.Contains("`readout`"));
        using Network asked = OnnxImport.Read(path, host, readout: Readout.Mean).Network;
        Assert.Equal(Readout.Mean, asked.Architecture.Readout);
    }

    // Answers of PyTorch; Golden/make_golden.py.
    [Theory]
    [InlineData("gru_two_layers", Cell.Gru, Readout.Last, new[] { -0.012626149f, -0.40147844f, -0.013041593f, -0.40130049f })]
    [InlineData("lstm_both_ends", Cell.Lstm, Readout.Last, new[] { 0.184495f, 0.24657702f, 0.18120623f, 0.23773387f })]
    [InlineData("rnn_relu_mean", Cell.RnnRelu, Readout.Mean, new[] { 0.06280265f, 0.062483653f })]
    [InlineData("lstm_tokens", Cell.Lstm, Readout.Every, new[]
    {
        -0.28170148f, -0.11279182f, -0.028590061f, 0.42848259f, -0.38989237f, -0.23335555f, -0.11939161f, 0.010782935f, 0.40856469f, -0.43906665f,
        -0.46839473f, -0.060521014f, -0.16050218f, 0.48070842f, -0.21476857f, -0.53398007f, -0.079281062f, -0.18908888f, 0.51475978f, -0.18987349f,
        -0.2626965f, -0.058983188f, -0.053811342f, 0.4023574f, -0.33641213f, -0.18710321f, -0.099521831f, 0.021800779f, 0.38416159f, -0.44261068f,
        -0.19159929f, -0.10868924f, 0.035250477f, 0.38510978f, -0.46323651f, -0.45350543f, -0.048319228f, -0.15611425f, 0.4689298f, -0.21470572f,
    })]
    public void GraphsOfPyTorchAnswerAsPyTorchDid(string name, Cell cell, Readout readout, float[] expected)
    {
        using Network network = OnnxImport.Read(Path.Combine(AppContext.BaseDirectory, "Golden", $"{name}.onnx"), host).Network;
        Assert.Equal((cell, readout), (network.Architecture.Cell, network.Architecture.Readout));
        Assert.Equal(expected.Length == 2 ? TaskKind.Regression : TaskKind.Classification, network.Architecture.Task);
        float[] x = network.Architecture.HasEmbedding
            ? [.. Enumerable.Range(0, 8).Select(i => (float)(i % 5))]
            : [.. Enumerable.Range(0, 16).Select(i => (float)Math.Sin(1.7 * i))];
        Runs.Close(expected, Answers.Predict(network, x, 2, 4), 1e-6); // single precision, eight printed digits
    }

    // What is returned has been compared with the graph's answers in ONNX Runtime.
    [Theory]
    [InlineData("LSTM", 1, 1, true, true, Readout.Last)]
    [InlineData("GRU", 2, 1, true, false, Readout.Last)]
    [InlineData("LSTM", 2, 2, true, true, Readout.LastStep)]
    [InlineData("GRU", 1, 2, false, false, Readout.Every)]
    public void GraphsOfPyTorchsNewerExporter(string type, int layers, int directions, bool isLastOnly, bool keepsConstant, Readout readout)
    {
        File.WriteAllBytes(path, DynamoGraph.Make(type, inputs: 3, hidden: 4, outputs: 2, layers, directions, isLastOnly, keepsConstant));
        (Network network, double difference) = OnnxImport.Read(path, host);
        using Network owned = network;

        Assert.Equal((type == "LSTM" ? Cell.Lstm : Cell.Gru, readout), (network.Architecture.Cell, network.Architecture.Readout));
        Assert.Equal((layers, directions == 2), (network.Architecture.Layers, network.Architecture.IsBidirectional));
        Assert.InRange(difference, 0, Answers.Tolerance);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(11)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(17)]
    [InlineData(21)]
    public void OpsetsFrom7To21(int opset)
    {
        GraphMaker maker = new GraphMaker().Input("x", 0, 0, 3).Node("Transpose", ["x"], ["steps"], Attributes.Create("perm", 1, 0, 2))
            .Recurrent("GRU", "cell", "steps", 3, 4, outputs: ["cell_y", "cell_h"]);
        if (opset < 13) maker.Node("Squeeze", ["cell_h"], ["h"], Attributes.Create("axes", new long[] { 0 }));
        else maker.Integers("zero", 0).Node("Squeeze", ["cell_h", "zero"], ["h"]);
        maker.Constant("w", [2, 4]).Constant("b", [2]).Node("Gemm", ["h", "w", "b"], ["y"], Attributes.Create("transB", 1L)).Output("y");
        File.WriteAllBytes(path, maker.ToFile(opset: opset));
        (Network network, double difference) = OnnxImport.Read(path, host);
        using Network owned = network;

        Assert.Equal((Cell.Gru, Readout.Last), (network.Architecture.Cell, network.Architecture.Readout));
        Assert.InRange(difference, 0, Answers.Tolerance);
    }

    [Fact]
    public void ConstantsMayBeTypedOrComputed()
    {
        using Network network = SmallNetworks.Make(new() { Cell = Cell.Lstm, Inputs = 2, Hidden = [3], Outputs = 2 }, host);
        ModelProto model = StackGraph.Build(network, new GraphOptions());
        for (int i = 0; i < model.Graph.Initializer.Count; i++)
        {
            TensorProto tensor = model.Graph.Initializer[i];
            if (tensor.DataType == Tensors.Float) model.Graph.Initializer[i] = Typed(tensor);
        }

        NodeProto product = model.Graph.Node.Single(node => node.OpType == "MatMul");
        model.Graph.Node.Insert(0, new NodeProto { OpType = "Neg", Input = { product.Input[1] }, Output = { "less" } });
        model.Graph.Node.Insert(1, new NodeProto { OpType = "Neg", Input = { "less" }, Output = { "again" } });
        product.Input[1] = "again";
        OnnxFile.Save(path, model);
        using Network back = OnnxImport.Read(path, host).Network;
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
    }

    // float_data, field 4, which the schema here does not know
    private static TensorProto Typed(TensorProto raw)
    {
        byte[] values = raw.RawData.ToByteArray();
        TensorProto plain = raw.Clone();
        plain.ClearRawData();
        using MemoryStream stream = new();
        plain.WriteTo(stream);
        CodedOutputStream output = new(stream);
        output.WriteTag(4, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(values));
        output.Flush();
        return TensorProto.Parser.ParseFrom(stream.ToArray());
    }
}
