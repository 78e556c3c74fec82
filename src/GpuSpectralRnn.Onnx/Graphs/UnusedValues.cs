using System.Runtime.CompilerServices;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Removes values that are no longer read; values that were never read stay.</summary>
internal static class UnusedValues
{
    /// <summary>Removes the value if it is not read, then the values that only it was made of.</summary>
    public static void Remove(Scope scope, string value)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return; // what is left is unused, and harmless
        if (value.Length == 0 || scope.Definer(value) is not { } definer) return;
        HashSet<string> read = [.. GraphWalk.Reads(definer.Graph)];
        if (read.Contains(value)) return;
        if (definer.Initializer(value) is { } tensor)
        {
            definer.Graph.Initializer.Remove(tensor);

            // Old files name their constants as inputs, too.
            if (definer.Graph.Input.FirstOrDefault(input => input.Name == value) is { } input) definer.Graph.Input.Remove(input);
        }
        else if (definer.Producer(value) is { } node && !node.Output.Any(read.Contains))
        {
            definer.Graph.Node.Remove(node);
            foreach (string name in node.Input.Distinct()) Remove(definer, name);
        }
    }
}
