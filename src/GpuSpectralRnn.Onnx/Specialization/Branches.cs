using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Specialization;

/// <summary>Which branch every If of a graph takes.</summary>
internal static class Branches
{
    /// <summary>Runs the first sequence of every choice and reads the conditions.</summary>
    /// <param name="model">The graph.</param>
    /// <param name="copy">A copy of it, whose nodes and branches are returned.</param>
    /// <param name="calls">The calls.</param>
    /// <returns>The branch of every If that always took the same.</returns>
    public static Dictionary<NodeProto, GraphProto> Find(ModelProto model, ModelProto copy, GraphCalls calls)
    {
        ModelProto shown = model.Clone();
        ValueProbe probe = new(shown);
        (Scope Scope, NodeProto Node)[] choices = [.. Choices(shown)];
        string[] names =
            [.. choices.Select(choice => probe.Show(choice.Scope, choice.Node.Input[0], $"{choice.Node.Output[0]}/condition", isFloat: false))];
        bool[] yes = new bool[names.Length], no = new bool[names.Length];
        try
        {
            using InferenceSession session = RuntimeSession.Open(probe.ToFile(), "the graph with its conditions as outputs");
            for (int sequence = 0; sequence < calls.Variants; sequence++)
            {
                calls.Run(session, sequence, names, results =>
                {
                    for (int i = 0; i < names.Length; i++)
                    {
                        foreach (float condition in results[i].GetTensorDataAsSpan<float>())
                            (condition != 0 ? yes : no)[i] = true;
                    }
                });
            }
        }
        catch (RunFailedException)
        {
            return []; // conditions of bodies that are run now and then cannot be got out; then no If is looked through
        }

        Dictionary<NodeProto, GraphProto> taken = new(ReferenceEqualityComparer.Instance);
        NodeProto[] nodes = [.. Choices(copy).Select(choice => choice.Node)];
        for (int i = 0; i < nodes.Length; i++)
        {
            if (yes[i] == no[i]) continue;
            if (Attributes.Find(nodes[i], yes[i] ? "then_branch" : "else_branch")?.G is { } branch) taken[nodes[i]] = branch;
        }

        return taken;
    }

    private static IEnumerable<(Scope Scope, NodeProto Node)> Choices(ModelProto model) =>
        GraphWalk.Nodes(new Scope(model.Graph)).Where(place => place.Node is { OpType: "If", Input.Count: 1 });
}
