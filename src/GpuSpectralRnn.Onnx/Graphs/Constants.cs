using System.Runtime.CompilerServices;
using Google.Protobuf;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Protos;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>A constant of 32-bit floats.</summary>
/// <param name="Extents">Outermost first.</param>
/// <param name="Values">Row-major.</param>
internal sealed record Constant(int[] Extents, float[] Values);

/// <summary>
/// Values that depend on no input, however many operators lie between them and the file's constants. ONNX Runtime evaluates them in a graph of the
/// operators they depend on, so every operator that it supports can be folded.
/// </summary>
internal static class Constants
{
    private static readonly string[] Random =
        ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"];

    /// <summary>Why the value cannot be computed in advance: the name of an input or of a random node; null where it can.</summary>
    public static string? FindObstacle(Scope scope, string value) => Collect(scope, value, new GraphProto(), []);

    /// <summary>Whether an operator gives the same whenever its inputs are the same.</summary>
    public static bool IsDeterministic(NodeProto node) => !Random.Contains(node.OpType);

    /// <summary>Computes a value.</summary>
    /// <exception cref="InvalidCallException">It depends on an input, or is no array of 32-bit floats.</exception>
    public static Constant Evaluate(ModelProto model, Scope scope, string value) => Compute(model, scope, value, result =>
    {
        OrtTensorTypeAndShapeInfo type = result.GetTensorTypeAndShape();
        if (type.ElementDataType != TensorElementType.Float)
            throw new InvalidCallException($"{value} holds values of type {type.ElementDataType}; only 32-bit floats can be used.");
        return new Constant(Array.ConvertAll(type.Shape, extent => (int)extent), result.GetTensorDataAsSpan<float>().ToArray());
    });

    /// <summary>The constant of 32-bit floats that a value is; null where it is none.</summary>
    public static Constant? TryEvaluate(ModelProto model, Scope scope, string value) => Is(scope, value)
        ? Compute(model, scope, value, result => result.GetTensorTypeAndShape() is { ElementDataType: TensorElementType.Float } type
            ? new Constant(Array.ConvertAll(type.Shape, extent => (int)extent), result.GetTensorDataAsSpan<float>().ToArray())
            : null)
        : null;

    /// <summary>The 64-bit integers that a value is, with its rank; null where it is no constant of such.</summary>
    public static (int Rank, long[] Values)? TryIntegers(ModelProto model, Scope scope, string value) => Is(scope, value)
        ? Compute<(int, long[])?>(model, scope, value, result => result.GetTensorTypeAndShape() is { ElementDataType: TensorElementType.Int64 } type
            ? (type.Shape.Length, result.GetTensorDataAsSpan<long>().ToArray())
            : null)
        : null;

    private static bool Is(Scope scope, string value) => value.Length > 0 && scope.Definer(value) is not null && FindObstacle(scope, value) is null;

    private static T Compute<T>(ModelProto model, Scope scope, string value, Func<OrtValue, T> read)
    {
        GraphProto graph = new() { Name = "constants" };
        if (Collect(scope, value, graph, []) is { } obstacle)
            throw new InvalidCallException($"{value} is not constant: it hangs on {obstacle}.");
        const string result = "gsrnn/constant";
        graph.Node.Add(new NodeProto { OpType = "Identity", Input = { value }, Output = { result } });
        graph.Output.Add(new ValueProto { Name = result });
        ModelProto part = new() { IrVersion = Math.Max(4, model.IrVersion), Graph = graph };
        part.OpsetImport.Add(model.OpsetImport);
        part.Functions.Add(model.Functions);
        using InferenceSession session = RuntimeSession.Open(part.ToByteArray(), "a constant of the graph");
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, new Dictionary<string, OrtValue>(), [result]);
        return read(results[0]);
    }

    // Adds the nodes that the value depends on, in topological order.
    private static string? Collect(Scope scope, string value, GraphProto graph, HashSet<string> seen)
    {
        if (!seen.Add(value)) return null;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return $"{value} by more operators than can be followed";
        if (scope.Definer(value) is not { } definer) return null; // a name of a body's own, which comes with its node
        if (definer.Initializer(value) is { } tensor)
        {
            graph.Initializer.Add(tensor);
            return null;
        }

        if (definer.Producer(value) is not { } node) return $"the input {value}";
        if (!IsDeterministic(node)) return $"the random node {node.Name}";
        foreach (string name in GraphWalk.Reads(node))
            if (Collect(definer, name, graph, seen) is { } obstacle) return obstacle;
        if (!graph.Node.Contains(node)) graph.Node.Add(node);
        return null;
    }
}
