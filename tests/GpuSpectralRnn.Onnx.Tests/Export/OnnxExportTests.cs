using Google.Protobuf;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Export;

public sealed class OnnxExportTests : IDisposable
{
    private readonly HostBackend host = new(1);
    private readonly string path = Path.Combine(Path.GetTempPath(), $"gsrnn-{Guid.NewGuid():N}.onnx");

    public void Dispose()
    {
        host.Dispose();
        File.Delete(path);
    }

    public static TheoryData<Cell, Readout, bool, bool, bool> Cases()
    {
        TheoryData<Cell, Readout, bool, bool, bool> cases = [];
        foreach (Cell cell in Enum.GetValues<Cell>())
            foreach (Readout readout in Enum.GetValues<Readout>())
                foreach (bool isBidirectional in (bool[])[false, true])
                    foreach (bool isStateful in (bool[])[false, true])
                        foreach (bool takesLengths in (bool[])[false, true])
                        {
                            bool fits = !isStateful || (!isBidirectional && readout != Readout.Mean);
                            if (fits) cases.Add(cell, readout, isBidirectional, isStateful, takesLengths);
                        }


        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void AnswersInOnnxRuntimeAreTheNetworks(Cell cell, Readout readout, bool isBidirectional, bool isStateful, bool takesLengths)
    {
        Architecture architecture =
            new() { Cell = cell, Inputs = 3, Hidden = [5, 4], IsBidirectional = isBidirectional, Readout = readout, Outputs = 2 };
        using Network network = SmallNetworks.Make(architecture, host);
        double difference = OnnxExport.Save(path, network, new GraphOptions { IsStateful = isStateful, TakesLengths = takesLengths });
        Assert.InRange(difference, 0, Answers.Tolerance);
        if (isStateful || takesLengths) return;

        // Once more, by other hands than the check's.
        float[] x = [.. Enumerable.Range(0, 4 * 6 * 3).Select(i => MathF.Sin(1.7f * i))];
        float[] expected = SmallNetworks.Predict(network, x, 4, 6);
        (long[] shape, float[] found) = Runs.Once(File.ReadAllBytes(path), ("input", [4, 6, 3], x))["output"];
        Assert.Equal(readout == Readout.Every ? [4, 6, 2] : (long[])[4, 2], shape);
        if (readout == Readout.Every)
            expected = [.. Enumerable.Range(0, 4 * 6 * 2).Select(i => expected[(((i / 2 % 6 * 4) + (i / 12)) * 2) + (i % 2)])];
        Runs.Close(expected, found, Answers.Tolerance * Math.Max(1, expected.Max(Math.Abs)));
    }

    [Theory]
    [InlineData(Cell.Lstm, false)]
    [InlineData(Cell.Gru, true)]
    public void LanguageModels(Cell cell, bool isTied)
    {
        string[] tokens = ["<eos>", "<unk>", "the", "cat", "sat"];
        Architecture architecture = new()
        {
            Cell = cell, Vocabulary = 5, Inputs = 4, Hidden = [6, 4], Outputs = 5, Readout = Readout.Every, TiesWeights = isTied,
            Tokens = tokens, Unit = GpuSpectralRnn.Data.TextUnit.Word, Data = new Dictionary<string, string> { ["name"] = "cats" },
        };
        using Network network = SmallNetworks.Make(architecture, host);
        foreach (bool isStateful in (bool[])[false, true]) OnnxExport.Save(path, network, new GraphOptions { IsStateful = isStateful });

        ModelProto model = OnnxFile.Load(path);
        Dictionary<string, string> notes = model.MetadataProps.ToDictionary(note => note.Key, note => note.Value);
        Assert.Equal(tokens, System.Text.Json.JsonSerializer.Deserialize<string[]>(notes["gsrnn.vocabulary"]));
        Assert.Equal("word", notes["gsrnn.unit"]);
        Assert.Equal("cats", notes["gsrnn.data.name"]);
        Assert.Equal("classification", notes["gsrnn.task"]);
        Assert.Equal(isTied ? 0 : 1, model.Graph.Initializer.Count(tensor => tensor.Name == "readout.weight"));
        Assert.Equal(["output", .. cell == Cell.Lstm ? (string[])["h_l0_next", "c_l0_next", "h_l1_next", "c_l1_next"] : ["h_l0_next", "h_l1_next"]],
            model.Graph.Output.Select(output => output.Name));
    }

    [Fact]
    public void TokensOfAClassifier()
    {
        Architecture architecture =
            new() { Cell = Cell.Gru, Vocabulary = 9, Inputs = 3, Hidden = [4], Outputs = 2, IsBidirectional = true, Readout = Readout.Mean };
        using Network network = SmallNetworks.Make(architecture, host);
        Assert.InRange(OnnxExport.Save(path, network, new GraphOptions { TakesLengths = true }), 0, Answers.Tolerance);
    }

    [Fact]
    public void FactorsAreMultipliedOutAndMasksApplied()
    {
        Architecture architecture =
            new() { Cell = Cell.RnnTanh, Inputs = 3, Hidden = [5, 4], RecurrentRank = [2, 0], Outputs = 2, Task = TaskKind.Regression };
        using Network network = SmallNetworks.Make(architecture, host);
        network.Parameters.SetMask("rnn.weight_hh_l1", [.. Enumerable.Range(0, 16).Select(i => i % 3 == 0 ? 0f : 1)]);
        OnnxExport.Save(path, network, new GraphOptions());

        ModelProto model = OnnxFile.Load(path);
        Assert.Equal([1, 5, 5], model.Graph.Initializer.Single(tensor => tensor.Name == "rnn.R_l0").Dims);
        Dictionary<string, string> notes = model.MetadataProps.ToDictionary(note => note.Key, note => note.Value);
        Assert.Contains("rank 2, 0", notes["gsrnn.factored"]);
        Assert.Contains("6 of 16 weights of rnn.weight_hh_l1", notes["gsrnn.masked"]);
        Assert.Equal("regression", notes["gsrnn.task"]);
    }

    [Fact]
    public void EveryOpsetOfTheRangeRunsAndTheNextDoesNot()
    {
        Architecture architecture = new() { Cell = Cell.Lstm, Inputs = 2, Hidden = [3], IsBidirectional = true, Outputs = 2, Readout = Readout.Mean };
        using Network network = SmallNetworks.Make(architecture, host);
        for (int opset = GraphOptions.LeastOpset; opset <= GraphOptions.MostOpset; opset++)
            Assert.InRange(OnnxExport.Save(path, network, new GraphOptions { Opset = opset }), 0, Answers.Tolerance);

        Assert.Throws<InvalidCallException>(() => OnnxExport.Save(path, network, new GraphOptions { Opset = GraphOptions.LeastOpset - 1 }));
        GraphOptions next = new() { Opset = GraphOptions.MostOpset + 1 };
        Assert.Throws<InvalidCallException>(() => OnnxExport.Save(path, network, next));
        Assert.Throws<RunFailedException>(() => RuntimeCheck.Measure(StackGraph.Build(network, next).ToByteArray(), network, next));
    }

    [Theory]
    [InlineData(Readout.Last, true, "bidirectional")]
    [InlineData(Readout.Mean, false, "mean")]
    public void WhatCannotBeStatefulIsRefused(Readout readout, bool isBidirectional, string word)
    {
        Architecture architecture =
            new() { Cell = Cell.Gru, Inputs = 2, Hidden = [3], IsBidirectional = isBidirectional, Outputs = 2, Readout = readout };
        using Network network = SmallNetworks.Make(architecture, host);
        GraphOptions options = new() { IsStateful = true };
        InvalidCallException refusal = Assert.Throws<InvalidCallException>(() => OnnxExport.Save(path, network, options));
        Assert.Contains(word, refusal.Message);
        Assert.False(File.Exists(path));
    }

    // Every constant of the graph counts: moved a little, the check sees it.
    [Theory]
    [InlineData(Cell.Lstm)]
    [InlineData(Cell.Gru)]
    public void TheCheckSeesEveryWrongConstant(Cell cell)
    {
        Architecture architecture = new() { Cell = cell, Inputs = 3, Hidden = [4, 4], IsBidirectional = true, Outputs = 3 };
        using Network network = SmallNetworks.Make(architecture, host);
        GraphOptions options = new();
        IEnumerable<TensorProto> constants = StackGraph.Build(network, options).Graph.Initializer;
        string[] names = [.. constants.Where(tensor => tensor.DataType == Tensors.Float).Select(tensor => tensor.Name)];
        foreach (string name in names)
        {
            ModelProto model = StackGraph.Build(network, options);
            TensorProto tensor = model.Graph.Initializer.Single(tensor => tensor.Name == name);
            byte[] bytes = tensor.RawData.ToByteArray();
            float first = BitConverter.ToSingle(bytes);
            BitConverter.TryWriteBytes(bytes, first + 0.05f);
            tensor.RawData = ByteString.CopyFrom(bytes);
            Assert.True(RuntimeCheck.Measure(model.ToByteArray(), network, options) > Answers.Tolerance, name);
        }
    }

    [Fact]
    public void NothingIsWrittenWhereTheNetworkIsNotFinite()
    {
        Architecture architecture = new() { Cell = Cell.RnnRelu, Inputs = 2, Hidden = [2], Outputs = 1, Task = TaskKind.Regression };
        using Network network = SmallNetworks.Make(architecture, host);
        network.Parameters.Write("rnn.weight_hh_l0", [1e30f, 1e30f, 1e30f, 1e30f]);
        Assert.Throws<RunFailedException>(() => OnnxExport.Save(path, network, new GraphOptions()));
        Assert.False(File.Exists(path));
    }
}
