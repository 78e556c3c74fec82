using Google.Protobuf;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Import;

/// <summary>What no network of this library is, refused by the node's name.</summary>
public sealed class ImportRefusalTests : IDisposable
{
    private readonly HostBackend host = new(1);

    public void Dispose() => host.Dispose();

    [Fact]
    public void AttributesThatNoCellHas()
    {
        Refused(Cell.Lstm, node => Attributes.Set(node, "input_forget", 1), "LSTM steps_l0", "couples");
        Refused(Cell.Lstm, node => Attributes.Find(node, "direction")!.S = ByteString.CopyFromUtf8("reverse"), "LSTM steps_l0", "reverse");
        Refused(Cell.Lstm, node => node.Attribute.Add(new AttributeProto { Name = "clip", Type = 1, F = 3 }), "LSTM steps_l0", "clips");
        Refused(Cell.Lstm, node => node.Attribute.Add(Attributes.OfWords("activations", "Sigmoid", "Tanh", "Relu")), "LSTM steps_l0", "Relu");
        Refused(
            Cell.RnnTanh, node => Attributes.Find(node, "activations")!.Strings[0] = ByteString.CopyFromUtf8("Elu"), "RNN steps_l0", "Elu");
    }

    /// <summary>No refusal, but worth a word: such a file of PyTorch's does not answer as the model did.</summary>
    [Fact]
    public void AGruThatPyTorchHasNotIsDoubted()
    {
        foreach (string producer in (string[])["pytorch", "tf2onnx"])
        {
            ModelProto model = Build(Cell.GruResetBefore);
            model.ProducerName = producer;
            List<string> notes = [];
            Runs.WithFile(model.ToByteArray(), path => OnnxImport.Read(path, host, note: notes.Add).Network.Dispose());
            Assert.Equal(producer == "pytorch" ? 1 : 0, notes.Count(note => note.StartsWith("GRU steps_l0 resets its state before the product", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void AFixedStateAndPeepholes()
    {
        Refused(Cell.Gru, Reads("initial", 5, [1, 1, 5]), "GRU steps_l0", "fixed state", batch: 1);
        Refused(Cell.Lstm, Reads("peepholes", 7, [1, 15]), "LSTM steps_l1", "another cell than LSTM steps_l0");
    }

    [Fact]
    public void NodesThatComputeBetweenTheLayers()
    {
        ModelProto model = Build(Cell.Lstm);
        Between(model, "Relu", model.Graph.Node.Single(node => node.Name == "steps_l1"));
        Refused(model, "Relu odd", "LSTM steps_l1");

        model = Build(Cell.Lstm);
        Between(model, "Softmax", model.Graph.Node.Single(node => node.OpType == "MatMul"));
        Refused(model, "Softmax odd", "MatMul readout_product");

        model = Build(Cell.Lstm);
        Between(model, "Tanh", model.Graph.Node.Single(node => node.Name == "steps_l0"));
        Refused(model, "Tanh odd", "LSTM steps_l0");
    }

    [Fact]
    public void AnOutputThatIsNoLogits()
    {
        ModelProto model = Build(Cell.Gru);
        model.Graph.Node[^1].Output[0] = "logits";
        model.Graph.Node.Add(new NodeProto { OpType = "Softmax", Name = "chances", Input = { "logits" }, Output = { "output" } });
        Refused(model, "Softmax chances", "output");
    }

    [Fact]
    public void AReadoutThatPicksAnotherStep()
    {
        ModelProto model = Build(Cell.Gru, Readout.LastStep, isBidirectional: true);
        NodeProto pick = model.Graph.Node.Single(node => node.Name == "last_step");
        model.Graph.Initializer.Add(Tensors.Create("first", [1], [0L]));
        pick.Input[1] = "first";
        Refused(model, "MatMul readout_product", "GRU steps_l1", "none of the read-outs");
    }

    [Fact]
    public void InputsAndOutputsWithoutAPlace()
    {
        ModelProto model = Build(Cell.Gru);
        ValueProto rate = model.Graph.Input[0].Clone();
        rate.Name = "rate";
        model.Graph.Input.Add(rate);
        Refused(model, "rate");

        model = Build(Cell.Gru);
        model.Graph.Node.Add(new NodeProto { OpType = "Add", Name = "twin", Input = { "readout_product", "readout.bias" }, Output = { "other" } });
        ValueProto other = model.Graph.Output[0].Clone();
        other.Name = "other";
        model.Graph.Output.Add(other);
        Refused(model, "Add twin", "second read-out");

        model = Build(Cell.Gru, Readout.Every);
        model.Graph.Output[0].Name = "steps_l1";
        model.Graph.Output[0].Type = null;
        Refused(model, "GRU steps_l1", "linear read-out");
    }

    [Fact]
    public void GraphsWithoutARow()
    {
        ModelProto model = Build(Cell.Gru);
        model.Graph.Node.RemoveAt(model.Graph.Node.IndexOf(model.Graph.Node.Single(node => node.Name == "steps_l0")));
        Runs.WithFile(model.ToByteArray(), path => Assert.Throws<RunFailedException>(() => OnnxImport.Read(path, host)));

        byte[] plain = new GraphMaker().Input("x", 2, 3).Constant("w", [3, 2]).Node("MatMul", ["x", "w"], ["y"]).Output("y", 2, 2).ToFile();
        Refused(ModelProto.Parser.ParseFrom(plain), "no RNN, LSTM or GRU");

        GraphProto branch = new() { Name = "branch" };
        new GraphMaker(branch).Recurrent("GRU", "inner", "x", 2, 3).Output("inner_y", 4, 1, 1, 3);
        NodeProto choice = new() { OpType = "If", Name = "choice", Input = { "is" }, Output = { "y" } };
        foreach (string name in (string[])["then_branch", "else_branch"])
            choice.Attribute.Add(new AttributeProto { Name = name, Type = 5, G = branch.Clone() });
        GraphMaker maker = new GraphMaker().Input("x", 4, 1, 2).Condition("is").Output("y", 4, 1, 1, 3);
        maker.Graph.Node.Add(choice);
        Refused(ModelProto.Parser.ParseFrom(maker.ToFile()), "GRU inner_y_GRU", "If choice");
    }

    [Fact]
    public void LayersOfUnlikeKinds()
    {
        GraphMaker maker = new GraphMaker().Input("x", 4, 2, 2).Integers("one", 1).Constant("w", [3, 2])
            .Recurrent("GRU", "a", "x", 2, 3).Node("Squeeze", ["a_y", "one"], ["as"])
            .Recurrent("LSTM", "b", "as", 3, 3).Node("Squeeze", ["b_y", "one"], ["bs"])
            .Node("MatMul", ["bs", "w"], ["y"]).Output("y", 4, 2, 2);
        Refused(ModelProto.Parser.ParseFrom(maker.ToFile()), "LSTM b_y_LSTM", "another cell than GRU a_y_GRU");
    }

    [Fact]
    public void WeightsThatAreNoNumbers()
    {
        ModelProto model = Build(Cell.Gru);
        TensorProto bias = model.Graph.Initializer.Single(tensor => tensor.Name == "readout.bias");
        bias.RawData = ByteString.CopyFrom([.. BitConverter.GetBytes(float.NaN), .. BitConverter.GetBytes(1f)]);
        Runs.WithFile(model.ToByteArray(), path =>
        {
            RunFailedException failure = Assert.Throws<RunFailedException>(() => OnnxImport.Read(path, host));
            Assert.StartsWith(path, failure.Message);
            Assert.Contains("readout.bias holds NaN", failure.Message);
        });
    }

    private ModelProto Build(Cell cell, Readout readout = Readout.Mean, bool isBidirectional = false)
    {
        Architecture architecture =
            new() { Cell = cell, Inputs = 3, Hidden = [5, 5], IsBidirectional = isBidirectional, Readout = readout, Outputs = 2 };
        using Network network = SmallNetworks.Make(architecture, host);
        return StackGraph.Build(network, new GraphOptions());
    }

    // Puts a node between what the reader reads and the reader.
    private static void Between(ModelProto model, string type, NodeProto reader)
    {
        NodeProto odd = new() { OpType = type, Name = "odd", Input = { reader.Input[0] }, Output = { "odd" } };
        model.Graph.Node.Insert(model.Graph.Node.IndexOf(reader), odd);
        reader.Input[0] = "odd";
    }

    private static Action<NodeProto, ModelProto> Reads(string name, int place, int[] extents) => (node, model) =>
    {
        model.Graph.Initializer.Add(Tensors.Create(name, extents, Enumerable.Repeat(0.5f, extents[^1]).ToArray()));
        while (node.Input.Count <= place) node.Input.Add("");
        node.Input[place] = name;
    };

    private void Refused(Cell cell, Action<NodeProto> change, params string[] words) => Refused(cell, (node, _) => change(node), words);

    private void Refused(Cell cell, Action<NodeProto, ModelProto> change, string first, string second, int batch) => Refused(cell, (node, model) =>
    {
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new DimensionProto { DimValue = batch };
        change(node, model);
    }, first, second);

    private void Refused(Cell cell, Action<NodeProto, ModelProto> change, params string[] words)
    {
        ModelProto model = Build(cell);
        change(model.Graph.Node.Single(node => node.Name == "steps_l0"), model);
        Refused(model, words);
    }

    private void Refused(ModelProto model, params string[] words) => Runs.WithFile(model.ToByteArray(), path =>
    {
        InvalidCallException refusal = Assert.Throws<InvalidCallException>(() => OnnxImport.Read(path, host));
        Assert.All(words, word => Assert.Contains(word, refusal.Message));
        Assert.StartsWith(path, refusal.Message);
    });
}
