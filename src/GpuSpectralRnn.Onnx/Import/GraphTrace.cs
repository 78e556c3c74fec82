using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Import;

/// <summary>End of a backward walk: a value, and the node that makes it (null for an input or a constant of the graph).</summary>
internal sealed record TraceEnd(string Value, NodeProto? Node);

/// <summary>Walks from a value back to its sources, through nodes that only move elements.</summary>
internal sealed class GraphTrace(Scope scope)
{
    /// <summary>Nodes that change the place of numbers, not their value; all but Concat have them from their first input.</summary>
    public static readonly string[] Moves =
    [
        "Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Identity", "Cast", "Dropout", "Slice", "Split", "Gather", "GatherND",
        "GatherElements", "Concat", "Expand",
    ];

    /// <summary>Moves, and what means over steps are made of.</summary>
    public static readonly string[] MovesAndMeans = [.. Moves, "ReduceMean", "ReduceSum", "Div"];

    /// <summary>Scope of the walk.</summary>
    public Scope Scope => scope;

    /// <summary>Whether the value depends on no input of the graph.</summary>
    public bool IsConstant(string value) => Constants.FindObstacle(scope, value) is null;

    /// <summary>The first values on the ways back that are made by another node than the <paramref name="passed"/> ones, each once.</summary>
    public TraceEnd[] Ends(string value, string[] passed)
    {
        List<TraceEnd> ends = [];
        HashSet<string> seen = [];
        Walk(value);
        return [.. ends];

        void Walk(string name)
        {
            if (name.Length == 0 || !seen.Add(name)) return;
            NodeProto? node = scope.Producer(name);
            bool isTable = node is { OpType: "Gather" } && IsConstant(node.Input[0]); // an embedding makes numbers of tokens
            if (node is null || isTable || !passed.Contains(node.OpType) || !GraphWalk.IsStandard(node)) ends.Add(new TraceEnd(name, node));
            else foreach (string input in node.OpType == "Concat" ? node.Input : node.Input.Take(1)) Walk(input);
        }
    }
}
