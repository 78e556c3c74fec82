using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>
/// Follows the states of a recurrent node to the outputs of the graph, as far as the operators are known. The result rests on an assumption about
/// shapes (operators that move elements are taken to leave the rows as they are), so it must be verified against the graph's values.
/// </summary>
/// <param name="model">The graph.</param>
/// <param name="branches">The branch that every If took in the calibration; an If that took both is not in it.</param>
/// <param name="states">Outputs of the graph that are inputs of its next call; they are not compared.</param>
internal sealed class TailFinder(ModelProto model, IReadOnlyDictionary<NodeProto, GraphProto> branches, IReadOnlySet<string> states)
{
    private const int MostTails = 8;

    private readonly List<OutputTail> tails = [];
    private readonly SeenValues seen = new();

    /// <summary>The tails of a node's output, none that leads to states alone; empty where there are too many.</summary>
    /// <param name="scope">The scope of the node.</param>
    /// <param name="value">The output.</param>
    /// <param name="width">Units, of both directions.</param>
    public IReadOnlyList<OutputTail> Find(Scope scope, string value, int width)
    {
        tails.Clear();
        seen.Clear();
        Follow(scope, value, width, []);
        return tails.Count > MostTails ? [] : [.. tails];
    }

    private void Follow(Scope scope, string value, int width, IReadOnlyList<TailModule> modules)
    {
        if (tails.Count > MostTails || !seen.Add(scope.Graph, value) || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) return;
        bool ends = false;
        for (int i = 0; i < scope.Graph.Output.Count; i++)
        {
            if (scope.Graph.Output[i].Name != value) continue;
            if (scope.Owner is not { } owner) ends |= !states.Contains(value);
            else if (owner.OpType != "If") ends |= true;
            else if (branches.GetValueOrDefault(owner, scope.Graph) is var taken && ReferenceEquals(taken, scope.Graph) && i < owner.Output.Count)
                Follow(scope.Parent!, owner.Output[i], width, modules);
        }

        foreach (Reader reader in Reader.Find(scope, value))
        {
            if (reader.Node.OpType is "Shape" or "Size" || !IsTaken(reader.Scope)) continue;
            if (Module(reader, width) is not { } step)
            {
                ends |= reader.Node.Output.Any(output => Reaches(reader.Scope, output, new SeenValues()));
                continue;
            }

            if (step.Module is { } module) Follow(reader.Scope, reader.Node.Output[0], module.Width(width), [.. modules, module]);
            else Follow(reader.Scope, reader.Node.Output[0], width, modules);
        }

        if (ends && !tails.Any(tail => tail.Value == value)) tails.Add(new OutputTail(modules, scope, value));
    }

    // Whether the calibration ran the bodies around.
    private bool IsTaken(Scope scope) =>
        scope.Owner is not { } owner
        || ReferenceEquals(branches.GetValueOrDefault(owner, scope.Graph), scope.Graph) && IsTaken(scope.Parent!);

    // Whether an output of the graph that is no state hangs on the value.
    private bool Reaches(Scope scope, string value, SeenValues seen)
    {
        if (value.Length == 0 || !seen.Add(scope.Graph, value)) return false;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return true;
        for (int i = 0; i < scope.Graph.Output.Count; i++)
        {
            if (scope.Graph.Output[i].Name != value) continue;
            if (scope.Owner is not { } owner)
            {
                if (!states.Contains(value)) return true;
            }
            else if (owner.Output.Where((_, at) => owner.OpType != "If" || at == i).Any(output => Reaches(scope.Parent!, output, seen)))
            {
                return true;
            }
        }

        return Reader.Find(scope, value).Any(reader => reader.Node.Output.Any(output => Reaches(reader.Scope, output, seen)));
    }

    // The module of an operator, or none where it only moves elements; null where it is not known.
    private (TailModule? Module, bool IsKnown)? Module(Reader reader, int width)
    {
        NodeProto node = reader.Node;
        if (!GraphWalk.IsStandard(node) || node.Output.Skip(1).Any(output => output.Length > 0)) return null;
        if (node.OpType == "Add" && node.Input.Count == 2) return Known(Add(reader, width));
        if (reader.Input != 0) return null;
        return node.OpType switch
        {
            "Identity" or "Dropout" or "Cast" or "Squeeze" or "Unsqueeze" or "Transpose" or "Reshape" or "Flatten" => (null, true),
            "ReduceMean" or "Slice" or "Gather" => (null, true),
            "Relu" => (PointwiseModule.Relu, true),
            "Tanh" => (PointwiseModule.Tanh, true),
            "Sigmoid" => (PointwiseModule.Sigmoid, true),
            "Softmax" => (new SoftmaxModule(), true),
            "MatMul" or "Gemm" or "Conv" => Known(Linear(reader, width)),
            _ => null,
        };
    }

    private static (TailModule?, bool)? Known(TailModule? module) => module is null ? null : (module, true);

    private LinearModule? Add(Reader reader, int width)
    {
        Constant? other = Constants.TryEvaluate(model, reader.Scope, reader.Node.Input[1 - reader.Input]);
        if (other is null || other.Values.Length != 1 && other.Values.Length != width) return null;
        float[] bias = other.Values.Length == width ? other.Values : [.. Enumerable.Repeat(other.Values[0], width)];
        return new LinearModule(Matrix.Identity(width).ToSingle(), bias);
    }

    private LinearModule? Linear(Reader reader, int width)
    {
        NodeProto node = reader.Node;
        if (node.Input.Count < 2 || Constants.TryEvaluate(model, reader.Scope, node.Input[1]) is not { } weight) return null;
        bool isConv = node.OpType == "Conv", isTransposed = isConv || Attributes.Integer(node, "transB", 0) != 0;
        int[] extents = isConv ? weight.Extents[..Math.Min(2, weight.Extents.Length)] : weight.Extents;
        if (extents.Length != 2 || extents[0] * extents[1] != weight.Values.Length || extents[isTransposed ? 1 : 0] != width) return null;
        if (isConv && Attributes.Integer(node, "group", 1) != 1) return null;
        if (Attributes.Find(node, "alpha") is { F: not 1 } || Attributes.Find(node, "beta") is { F: not 1 }) return null;
        int outputs = extents[isTransposed ? 0 : 1];
        float[] values = isTransposed ? weight.Values : Matrix.From(width, outputs, weight.Values).Transpose().ToSingle();
        float[] bias = new float[outputs];
        if (node.Input.Count > 2 && node.Input[2].Length > 0)
        {
            if (Constants.TryEvaluate(model, reader.Scope, node.Input[2]) is not { } given || given.Values.Length != outputs) return null;
            bias = given.Values;
        }

        return new LinearModule(values, bias);
    }
}
