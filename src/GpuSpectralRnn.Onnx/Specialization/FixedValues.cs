using System.Runtime.CompilerServices;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Specialization;

/// <summary>
/// Which values of a graph are the same in every call whose inputs have the same shapes, and the fixed ones among them the same values: what constants and
/// shapes are computed to. A shape is known to follow from other shapes for the operators of <see cref="Shaped"/> alone; of all others nothing is said.
/// </summary>
/// <param name="scope">The main graph.</param>
/// <param name="fixedInputs">Inputs of the same value in every call.</param>
internal sealed class FixedValues(Scope scope, IReadOnlySet<string> fixedInputs)
{
    // Operators whose inputs behind the first are places, extents or axes.
    private static readonly string[] Told =
    [
        "Expand", "Pad", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Reshape", "Slice", "Split", "Squeeze", "Tile", "Unsqueeze",
    ];

    // Operators whose results' shapes follow from the shapes of their inputs; of those above where places, extents and axes are fixed.
    private static readonly HashSet<string> Shaped =
    [
        "Abs", "Add", "And", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Conv", "ConvTranspose", "Cos", "Div", "Dropout", "Elu",
        "Equal", "Erf", "Exp", "Flatten", "Floor", "Gather", "GatherElements", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GRU",
        "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "LSTM",
        "MatMul", "Max", "MaxPool", "Mean", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "PRelu", "Reciprocal", "Relu", "RNN", "ScatterElements",
        "ScatterND", "Selu", "Sigmoid", "Sign", "Sin", "Softmax", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Tanh", "Transpose", "Where", "Xor",
        .. Told,
    ];

    private readonly Dictionary<string, bool> values = [];
    private readonly Dictionary<string, bool> shapes = [];

    /// <summary>Whether the value is the same in every such call.</summary>
    public bool Contains(string value) => Find(values, value, name => fixedInputs.Contains(name), node => node.OpType is "Shape" or "Size"
        ? HasShape(node.Input[0])
        : Constants.IsDeterministic(node) && node.Input.All(Contains));

    private bool HasShape(string value) => Contains(value) || Find(shapes, value, _ => true, node => node.OpType switch
    {
        "ConstantOfShape" or "Range" => node.Input.All(Contains),
        var type => Shaped.Contains(type) && node.Input.All(HasShape) && (!Told.Contains(type) || node.Input.Skip(1).All(Contains)),
    });

    private bool Find(Dictionary<string, bool> known, string value, Func<string, bool> isOfInput, Func<NodeProto, bool> isOfNode)
    {
        if (value.Length == 0 || scope.Initializer(value) is not null) return true;
        if (known.TryGetValue(value, out bool found)) return found;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return false;
        known[value] = false; // while it is looked for: a graph that goes round in circles
        NodeProto? node = scope.Producer(value);
        return known[value] = node is null ? isOfInput(value) : GraphWalk.IsStandard(node) && !GraphWalk.Bodies(node).Any() && isOfNode(node);
    }
}
