using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Tests.Support;

/// <summary>
/// Graphs as torch.onnx.export(dynamo=True) writes those of nn.LSTM and nn.GRU, batch first, with dynamic batch and time axes: gates put in ONNX's order by
/// Slice and Concat, a zero state by Expand, Y through Transpose and a Reshape whose shape is put together of Shape, opset 18. Read from the exporter's
/// library of operators (onnxscript, August 2026); PyTorch is not needed.
/// </summary>
internal static class DynamoGraph
{
    /// <summary>Layers in a row, then a linear layer on every step or on the last.</summary>
    /// <param name="type">LSTM or GRU.</param>
    /// <param name="inputs">I.</param>
    /// <param name="hidden">H.</param>
    /// <param name="outputs">M.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="directions">1 or 2.</param>
    /// <param name="isLastOnly">Whether the linear layer sees y[:, -1] alone.</param>
    /// <param name="keepsConstant">Whether the number of units in the reshapes is a constant, as after the exporter's optimiser.</param>
    public static byte[] Make(
        string type, int inputs, int hidden, int outputs, int layers = 1, int directions = 1, bool isLastOnly = false, bool keepsConstant = true)
    {
        GraphMaker maker = new GraphMaker().Input("x", 0, 0, inputs).Integers("int64_0", 0).Integers("int64_1", 1).Integers("int64_2", 2)
            .Integers("int64_3", 3).Integers("int64_4", 4).Integers("int64_m1", -1).Integers("int64_w", directions * hidden).Integers("int64_h", hidden)
            .Integers("int64_l", layers * directions).Constant("zero", [1], [0f]);
        int gates = type == "LSTM" ? 4 : 3;
        maker.Graph.Initializer.First(tensor => tensor.Name == "zero").Dims.Clear();
        maker.Node("Shape", ["x"], ["sym_size_int"], Attributes.Create("start", 0L), Attributes.Create("end", 1L))
            .Node("Concat", ["int64_l", "sym_size_int", "int64_h"], ["val_size"], Attributes.Create("axis", 0L))
            .Node("Expand", ["zero", "val_size"], ["zeros"])
            .Node("Transpose", ["x"], ["val_x"], Attributes.Create("perm", 1, 0, 2));
        string current = "val_x";
        for (int layer = 0; layer < layers; layer++)
        {
            int width = layer == 0 ? inputs : directions * hidden;
            string name = $"l{layer}";
            maker.Integers($"{name}_from", layer * directions).Integers($"{name}_to", (layer + 1) * directions)
                .Node("Slice", ["zeros", $"{name}_from", $"{name}_to", "int64_0"], [$"{name}_h0"]);
            foreach ((string part, int[] extents) in new (string, int[])[]
                { ("weight_ih", [gates * hidden, width]), ("weight_hh", [gates * hidden, hidden]), ("bias_ih", [gates * hidden]), ("bias_hh", [gates * hidden]) })
            {
                for (int d = 0; d < directions; d++) Reordered(maker, $"rnn.{part}_{name}{(d == 1 ? "_reverse" : "")}", extents, type, hidden);
            }

            for (int d = 0; d < directions; d++)
            {
                string end = d == 1 ? "_reverse" : "";
                maker.Node("Concat", [$"rnn.bias_ih_{name}{end}_onnx", $"rnn.bias_hh_{name}{end}_onnx"], [$"{name}_b{d}"], Attributes.Create("axis", 0L))
                    .Node("Unsqueeze", [$"{name}_b{d}", "int64_0"], [$"{name}_b{d}_1"]);
                foreach (string part in (string[])["weight_ih", "weight_hh"])
                    maker.Node("Unsqueeze", [$"rnn.{part}_{name}{end}_onnx", "int64_0"], [$"{name}_{part}{d}_1"]);
            }

            string Stacked(string part)
            {
                string[] both = [.. Enumerable.Range(0, directions).Select(d => $"{name}_{part}{d}_1")];
                if (directions == 1) return both[0];
                maker.Node("Concat", both, [$"{name}_{part}"], Attributes.Create("axis", 0L));
                return $"{name}_{part}";
            }

            string[] states = type == "LSTM" ? [$"{name}_h0", $"{name}_h0"] : [$"{name}_h0"];
            AttributeProto[] attributes =
            [
                Attributes.Create("hidden_size", (long)hidden), Attributes.Create("direction", directions == 2 ? "bidirectional" : "forward"),
                .. type == "GRU" ? [Attributes.Create("linear_before_reset", 1L)] : Array.Empty<AttributeProto>(),
            ];
            string w = Stacked("weight_ih"), r = Stacked("weight_hh"), b = Stacked("b");
            maker.Node(type, [current, w, r, b, "", .. states], [$"{name}_y", $"{name}_hn", .. type == "LSTM" ? [$"{name}_cn"] : Array.Empty<string>()], attributes)
                .Node("Transpose", [$"{name}_y"], [$"{name}_t"], Attributes.Create("perm", 0, 2, 1, 3))
                .Node("Shape", [$"{name}_t"], [$"{name}_s"], Attributes.Create("start", 0L))
                .Node("Slice", [$"{name}_s", "int64_0", "int64_1"], [$"{name}_s0"]).Node("Slice", [$"{name}_s", "int64_1", "int64_2"], [$"{name}_s1"]);
            string units = "int64_w";
            if (!keepsConstant)
            {
                maker.Node("Slice", [$"{name}_s", "int64_2", "int64_3"], [$"{name}_s2"]).Node("Slice", [$"{name}_s", "int64_3", "int64_4"], [$"{name}_s3"])
                    .Node("Mul", [$"{name}_s2", $"{name}_s3"], [$"{name}_s23"]).Node("Reshape", [$"{name}_s23", "int64_m1"], [units = $"{name}_su"]);
            }

            maker.Node("Concat", [$"{name}_s0", $"{name}_s1", units], [$"{name}_shape"], Attributes.Create("axis", 0L))
                .Node("Reshape", [$"{name}_t", $"{name}_shape"], [current = $"{name}_out"], Attributes.Create("allowzero", 0L));
        }

        maker.Node("Transpose", [current], ["y"], Attributes.Create("perm", 1, 0, 2)).Constant("head.weight", [outputs, directions * hidden]).Constant("head.bias", [outputs]);
        if (isLastOnly)
        {
            // select is a Gather by a number; addmm a Gemm.
            maker.Graph.Initializer.Add(Tensors.Create("val_last", [], new long[] { -1 }));
            maker.Node("Gather", ["y", "val_last"], ["select"], Attributes.Create("axis", 1L))
                .Node("Gemm", ["select", "head.weight", "head.bias"], ["linear"], Attributes.Create("transB", 1L));
        }
        else
        {
            maker.Node("Transpose", ["head.weight"], ["val_w"], Attributes.Create("perm", 1, 0)).Node("MatMul", ["y", "val_w"], ["val_p"])
                .Node("Add", ["val_p", "head.bias"], ["linear"]);
        }

        return maker.Output("linear").ToFile(opset: 18);
    }

    // PyTorch's blocks i, f, g, o or r, z, n by Slice and Concat to ONNX's.
    private static void Reordered(GraphMaker maker, string name, int[] extents, string type, int hidden)
    {
        maker.Constant(name, extents, extents.Length == 1 ? 0.3f : 1.5f / MathF.Sqrt(hidden));
        int[] order = type == "LSTM" ? [0, 3, 1, 2] : [1, 0, 2];
        foreach (int block in order.Order())
        {
            maker.Integers($"{name}_from{block}", block * hidden).Integers($"{name}_to{block}", (block + 1) * hidden)
                .Node("Slice", [name, $"{name}_from{block}", $"{name}_to{block}", "int64_0"], [$"{name}_{block}"]);
        }

        maker.Node("Concat", [.. order.Select(block => $"{name}_{block}")], [$"{name}_onnx"], Attributes.Create("axis", 0L));
    }
}
