using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Tests.Folding;

/// <summary>
/// What reads a node linearly takes A_J in. The masked big graph, in which R reads A_J h_J and a product with A_J stands behind every output, answers
/// as the small one. 1e-4 is rounding of 32-bit floats through the steps and products.
/// </summary>
public class FoldTests
{
    private const int Steps = 6, Inputs = 3, Hidden = 12, Keep = 5, Outputs = 4;

    public static TheoryData<string, int> Ways => new()
    {
        { "matmul", 1 }, { "gemm", 1 }, { "gemm-transposed", 1 }, { "conv", 1 }, { "next", 1 }, { "reshape", 1 }, { "flat", 1 }, { "mean", 1 },
        { "last", 1 }, { "slice", 1 }, { "last-state", 1 }, { "reshape", 2 }, { "next", 2 }, { "merged-number", 2 }, { "branch", 1 },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_linear_reader_takes_the_reconstruction_in(string way, int directions) => Check(Make(way, directions), isFolded: true);

    [Fact]
    public void A_reader_behind_Relu_takes_a_selection_in() => Check(Relu(), isFolded: true, isSelection: true);

    [Fact]
    public void A_reader_behind_Relu_keeps_the_product() => Check(Relu(), isFolded: false);

    [Fact]
    public void A_linear_reader_is_cut_beside_one_that_needs_all_units()
    {
        GraphMaker maker = Start(1).Node("MatMul", ["h", "w"], ["p"]).Constant("w", [Hidden, Outputs]).Node("Sigmoid", ["cell_y"], ["q"]);
        ModelProto small = Check(maker.Node("Squeeze", ["cell_y", "one"], ["h"]).Integers("one", 1).Output("p").Output("q"), isFolded: false);

        Assert.Contains(small.Graph.Initializer, tensor => tensor.Dims.SequenceEqual([Keep, Outputs]));
    }

    [Fact]
    public void An_output_of_the_graph_keeps_the_product() =>
        Check(Start(1).Node("Squeeze", ["cell_y", "one"], ["p"]).Integers("one", 1).Output("p"), isFolded: false);

    private static GraphMaker Start(int directions, string[]? outputs = null) =>
        new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "cell", "x", Inputs, Hidden, directions, outputs: outputs);

    private static GraphMaker Relu() => Start(1).Integers("one", 1).Constant("w", [Outputs, Hidden, 1]).Node("Squeeze", ["cell_y", "one"], ["a"])
        .Node("Relu", ["a"], ["b"]).Node("Transpose", ["b"], ["c"], Attributes.Create("perm", 1, 2, 0)).Node("Conv", ["c", "w"], ["p"]).Output("p");

    private static GraphMaker Make(string way, int directions)
    {
        GraphMaker maker = Start(directions, way == "last-state" ? ["", "cell_y"] : null).Integers("one", 1).Integers("zero", 0);
        int width = directions * Hidden;
        AttributeProto swap = Attributes.Create("perm", 0, 2, 1, 3);
        maker = way switch
        {
            "matmul" => maker.Node("Squeeze", ["cell_y", "one"], ["a"]).Constant("w", [width, Outputs]).Node("MatMul", ["a", "w"], ["p"]),
            "gemm" => maker.Integers("axes", 1, 2).Node("Squeeze", ["cell_y", "axes"], ["a"]).Constant("w", [width, Outputs]).Constant("v", [Outputs])
                .Node("Gemm", ["a", "w", "v"], ["p"]),
            "gemm-transposed" => maker.Integers("axes", 1, 2).Node("Squeeze", ["cell_y", "axes"], ["a"]).Constant("w", [Outputs, width])
                .Node("Gemm", ["a", "w"], ["p"], Attributes.Create("transB", 1)),
            "conv" => maker.Node("Squeeze", ["cell_y", "one"], ["a"]).Node("Transpose", ["a"], ["b"], Attributes.Create("perm", 1, 2, 0))
                .Constant("w", [Outputs, width, 3]).Node("Conv", ["b", "w"], ["p"]),
            "next" when directions == 1 => maker.Node("Squeeze", ["cell_y", "one"], ["a"]).Recurrent("LSTM", "next", "a", width, Outputs)
                .Node("Identity", ["next_y"], ["p"]),
            "next" => maker.Integers("shape", 0, 0, -1).Node("Transpose", ["cell_y"], ["a"], swap).Node("Reshape", ["a", "shape"], ["b"])
                .Recurrent("LSTM", "next", "b", width, Outputs).Node("Identity", ["next_y"], ["p"]),
            "reshape" => maker.Integers("shape", 0, 0, -1).Node("Transpose", ["cell_y"], ["a"], swap).Node("Reshape", ["a", "shape"], ["b"])
                .Constant("w", [width, Outputs]).Node("MatMul", ["b", "w"], ["p"]),
            "merged-number" => maker.Integers("shape", Steps, width).Node("Transpose", ["cell_y"], ["a"], swap).Node("Reshape", ["a", "shape"], ["b"])
                .Constant("w", [width, Outputs]).Node("MatMul", ["b", "w"], ["p"]),
            "flat" => maker.Integers("shape", -1, width).Node("Reshape", ["cell_y", "shape"], ["a"]).Constant("w", [width, Outputs])
                .Node("MatMul", ["a", "w"], ["p"]),
            "mean" => maker.Node("ReduceMean", ["cell_y"], ["a"], Attributes.Create("axes", [0L]), Attributes.Create("keepdims", 0))
                .Constant("w", [width, Outputs]).Node("MatMul", ["a", "w"], ["p"]),
            "last" => maker.Integers("at", -1).Node("Gather", ["cell_y", "at"], ["a"]).Constant("w", [width, Outputs])
                .Node("MatMul", ["a", "w"], ["p"]),
            "slice" => maker.Integers("from", 2).Integers("to", 5).Node("Slice", ["cell_y", "from", "to", "zero"], ["a"])
                .Constant("w", [width, Outputs]).Node("MatMul", ["a", "w"], ["p"]),
            "last-state" => maker.Constant("w", [width, Outputs]).Node("MatMul", ["cell_y", "w"], ["p"]),
            _ => Branch(maker),
        };
        return maker.Output("p");
    }

    // Bodies read the value from outside.
    private static GraphMaker Branch(GraphMaker maker)
    {
        GraphProto Body(string name, float scale) => new GraphMaker().Constant($"{name}_w", [Hidden, Outputs], scale)
            .Node("MatMul", ["cell_y", $"{name}_w"], [$"{name}_p"]).Output($"{name}_p").Graph;
        maker.Graph.Initializer.Add(new TensorProto { Name = "which", DataType = 9, RawData = Google.Protobuf.ByteString.CopyFrom(1) });
        return maker.Node("If", ["which"], ["p"], Attributes.Create("then_branch", Body("yes", 1)), Attributes.Create("else_branch", Body("no", 2)));
    }

    private static ModelProto Check(GraphMaker maker, bool isFolded, bool isSelection = false)
    {
        ModelProto result = new();
        Runs.WithFile(maker.ToFile(), path =>
        {
            using GraphCompression compression = new(path, Runs.Data("x", 10, Steps, 1, Inputs), CallOptions.None);
            int[] keep = [.. compression.Layers.Select((layer, i) => i == 0 ? Keep : layer.Units)];
            NodePlan?[] plans = compression.Plans(keep, UnitCriterion.Both);
            if (isSelection) plans[0] = plans[0]! with { Restore = plans[0]!.Selection };
            byte[] small = compression.Patch(plans);
            byte[] masked = Mask(File.ReadAllBytes(path), compression.Plans(keep, UnitCriterion.Both)[0]!, plans[0]!);
            (string, long[], float[]) x = ("x", [Steps, 1, Inputs], Runs.Data("x", Steps, Inputs)["x"].As<float>());

            Dictionary<string, (long[] Shape, float[] Values)> expected = Runs.Once(masked, x), found = Runs.Once(small, x);

            foreach (string name in expected.Keys)
            {
                Assert.Equal(expected[name].Shape, found[name].Shape);
                Runs.Close(expected[name].Values, found[name].Values, 1e-4);
            }

            result = ModelProto.Parser.ParseFrom(small);
            Assert.Equal(isFolded, result.Graph.Node.All(node => !node.Name.EndsWith("/whole", StringComparison.Ordinal)));
        });
        return result;
    }

    // R A_J E_J^T in every gate, and a product with E_J A^T [H, H] behind the output.
    private static byte[] Mask(byte[] file, NodePlan recurrent, NodePlan shown)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        RecurrentNode node = RecurrentNode.FindAll(model)[0];
        NodeWeights weights = NodeWeights.Read(model, node);
        Matrix Picks(int d) => Matrix.Identity(Hidden).SelectRows(shown.Kept[d]);
        float[] r = [.. Enumerable.Range(0, shown.Directions).SelectMany(d => (weights.RecurrentOf(d) * recurrent.Restore[d] * Picks(d)).ToSingle())];
        model.Graph.Initializer.First(tensor => tensor.Name == "cell_r").RawData = Tensors.Create("", [r.Length], r).RawData;
        float[] products = [.. Enumerable.Range(0, shown.Directions).SelectMany(d => (shown.Restore[d] * Picks(d)).Transpose().ToSingle())];
        model.Graph.Initializer.Add(Tensors.Create("mask", [shown.Directions, Hidden, Hidden], products));
        int output = node.Node.Output.IndexOf("cell_y");
        node.Node.Output[output] = "unmasked";

        // [..., D, N, H] [D, H, H]
        model.Graph.Node.Insert(1, new NodeProto { OpType = "MatMul", Input = { "unmasked", "mask" }, Output = { "cell_y" } });
        return Google.Protobuf.MessageExtensions.ToByteArray(model);
    }
}
