using System.Runtime.CompilerServices;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Inputs of a graph that only select a branch: they are compared with constants, as a sampling rate by the If that depends on it.</summary>
internal static class ComparedInputs
{
    /// <summary>The constants that each such input is compared with, ascending.</summary>
    public static Dictionary<string, long[]> Find(ModelProto model)
    {
        Scope scope = new(model.Graph);
        Dictionary<string, long[]> found = [];
        foreach (ValueProto input in model.Graph.Input)
        {
            SortedSet<long> values = [];
            if (OnlyCompared(model, scope, input.Name, values) && values.Count > 0) found[input.Name] = [.. values];
        }

        return found;
    }

    private static bool OnlyCompared(ModelProto model, Scope scope, string value, SortedSet<long> values)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return false;
        if (scope.Initializer(value) is not null || Reader.IsResult(scope.Graph, value)) return false;
        foreach (Reader reader in Reader.Find(scope, value))
        {
            NodeProto node = reader.Node;
            if (node.OpType is "Identity" or "Squeeze" or "Unsqueeze" && reader.Input == 0)
            {
                if (!OnlyCompared(model, reader.Scope, node.Output[0], values)) return false;
            }
            else if (node.OpType == "Equal" && node.Input.Count == 2
                && Constants.TryIntegers(model, reader.Scope, node.Input[1 - reader.Input]) is { Values: [long constant] })
            {
                values.Add(constant);
            }
            else
            {
                return false;
            }
        }

        return true;
    }
}
