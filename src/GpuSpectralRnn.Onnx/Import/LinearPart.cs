using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Import;

/// <summary>A linear layer of a graph: a Gemm, or a MatMul with or without an Add behind it.</summary>
/// <param name="Node">The product.</param>
/// <param name="Seen">The value it is applied to.</param>
/// <param name="Outputs">O.</param>
/// <param name="Weights">[O, columns].</param>
/// <param name="Bias">[O].</param>
internal sealed record LinearPart(NodeProto Node, string Seen, int Outputs, float[] Weights, float[] Bias)
{
    /// <summary>Whether a node is of the kinds that make one.</summary>
    public static bool IsLinear(NodeProto? node) => node is { OpType: "Gemm" or "MatMul" or "Add" } && GraphWalk.IsStandard(node);

    /// <summary>Reads the layer that ends in a node.</summary>
    /// <exception cref="InvalidCallException">It is another thing; the message names the node.</exception>
    public static LinearPart Read(ModelProto model, GraphTrace graph, NodeProto last)
    {
        NodeProto product = last;
        Constant? bias = null;
        if (last.OpType == "Add")
        {
            int constant = graph.IsConstant(last.Input[1]) ? 1
                : graph.IsConstant(last.Input[0]) ? 0
                : throw StackParts.Refuse(last, "adds two values that both hang on the inputs");
            bias = Constants.Evaluate(model, graph.Scope, last.Input[constant]);
            product = graph.Scope.Producer(last.Input[1 - constant]) is { OpType: "MatMul" } found
                ? found
                : throw StackParts.Refuse(last, "adds to what is no MatMul");
        }

        if (!graph.IsConstant(product.Input[1])) throw StackParts.Refuse(product, "multiplies two values that both hang on the inputs");
        Constant weights = Constants.Evaluate(model, graph.Scope, product.Input[1]);
        if (weights.Extents.Length != 2) throw StackParts.Refuse(product, $"multiplies by weights [{string.Join(", ", weights.Extents)}], no matrix");
        bool isGemm = product.OpType == "Gemm";
        if (isGemm && Attributes.Integer(product, "transA", 0) != 0) throw StackParts.Refuse(product, "has transA=1");
        if (isGemm && product.Input.Count > 2 && product.Input[2].Length > 0) bias = Constants.Evaluate(model, graph.Scope, product.Input[2]);
        bool isByOutput = isGemm && Attributes.Integer(product, "transB", 0) != 0; // [O, columns]
        (int outputs, int columns) = isByOutput ? (weights.Extents[0], weights.Extents[1]) : (weights.Extents[1], weights.Extents[0]);
        (float alpha, float beta) = (Scale(product, "alpha"), Scale(product, "beta"));
        float[] w = new float[weights.Values.Length], b = new float[outputs];
        for (int o = 0; o < outputs; o++)
            for (int c = 0; c < columns; c++) w[(o * columns) + c] = alpha * weights.Values[isByOutput ? (o * columns) + c : (c * outputs) + o];
        if (bias is not null && bias.Values.Length != outputs && bias.Values.Length != 1)
            throw StackParts.Refuse(last, $"adds [{string.Join(", ", bias.Extents)}] to {outputs} outputs");
        for (int o = 0; bias is not null && o < outputs; o++) b[o] = (last == product ? beta : 1) * bias.Values[bias.Values.Length == 1 ? 0 : o];
        return new LinearPart(product, product.Input[0], outputs, w, b);
    }

    private static float Scale(NodeProto node, string name) => node.OpType == "Gemm" && Attributes.Find(node, name) is { } scale ? scale.F : 1;
}
