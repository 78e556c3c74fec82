using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>A recurrent node as a network of one layer whose read-out gives the states of all units, y = A h of every step.</summary>
/// <param name="cell">The node's.</param>
internal sealed class RefinedCell(Cell cell)
{
    /// <summary>Whether its states lie in [-1, 1].</summary>
    public bool IsBounded => cell != Cell.RnnRelu;

    /// <summary>The cell of a node.</summary>
    public static RefinedCell From(RecurrentNode node) =>
        new(node.Type == "RNN" && Attributes.Words(node.Node, "activations")?[0] == "Relu" ? Cell.RnnRelu : node.StandardCell);

    /// <summary>Why the networks of this library cannot compute the node; null where they can.</summary>
    public static string? FindObstacle(RecurrentNode node, NodeWeights weights)
    {
        string[] activations = Attributes.Words(node.Node, "activations") ?? [];
        bool isStandard = activations.Chunk(node.StandardActivations.Count).All(direction => direction.SequenceEqual(node.StandardActivations))
            || node.Type == "RNN" && activations.All(word => word == "Relu");
        return !isStandard ? $"its activations are {string.Join(", ", activations)}"
            : weights.Peephole is not null ? "it has peepholes"
            : Attributes.Find(node.Node, "clip") is not null ? "it clips"
            : Attributes.Integer(node.Node, "input_forget", 0) != 0 ? "it couples its gates (input_forget)"
            : Attributes.Word(node.Node, "direction", "forward") == "reverse" ? "it walks backwards"
            : node.Input(RecurrentInput.SequenceLengths).Length > 0 ? "its sequences have lengths"
            : null;
    }

    /// <summary>The network of a plan; its outputs are the D H units.</summary>
    public Network ToNetwork(NodePlan plan, IBackend backend)
    {
        Network network = new(
            new Architecture
            {
                Cell = cell,
                Inputs = plan.Small.Inputs,
                Hidden = [plan.Units],
                IsBidirectional = plan.Directions == 2,
                Readout = Readout.Every,
                Outputs = plan.Directions * plan.Hidden,
                Task = TaskKind.Regression,
            },
            backend);
        for (int d = 0; d < plan.Directions; d++)
        {
            foreach ((string name, Constant constant, int block, int blocks) in Parts(plan.Small))
                network.Parameters.Write(name + End(d), GateOrder.FromOnnx(cell, Part(constant, d, plan.Directions, block, blocks)));
        }

        float[] readout = new float[plan.Directions * plan.Hidden * plan.Directions * plan.Units];
        for (int row = 0; row < plan.Directions * plan.Hidden; row++)
        {
            int d = row / plan.Hidden;
            for (int j = 0; j < plan.Units; j++)
                readout[(row * plan.Directions + d) * plan.Units + j] = (float)plan.Restore[d][row % plan.Hidden, j];
        }

        network.Parameters.Write(ParameterSpec.Readout, readout);
        return network;
    }

    /// <summary>The plan with the weights of a refined network.</summary>
    public NodePlan ToPlan(Network network, NodePlan plan)
    {
        NodeWeights small = plan.Small with
        {
            Input = Copy(plan.Small.Input),
            Recurrent = Copy(plan.Small.Recurrent),
            Bias = plan.Small.Bias is { } bias ? Copy(bias) : null,
        };
        for (int d = 0; d < plan.Directions; d++)
        {
            foreach ((string name, Constant constant, int block, int blocks) in Parts(small))
                GateOrder.ToOnnx(cell, network.Parameters.Read(name + End(d))).CopyTo(Part(constant, d, plan.Directions, block, blocks));
        }

        float[] readout = network.Parameters.Read(ParameterSpec.Readout);
        Matrix[] restore = [.. plan.Restore.Select((fold, d) =>
        {
            Matrix refined = fold.Clone();
            for (int row = 0; row < plan.Hidden; row++)
            {
                for (int j = 0; j < plan.Units; j++)
                    refined[row, j] = readout[((d * plan.Hidden + row) * plan.Directions + d) * plan.Units + j];
            }

            NodePlan.KeepUnits(refined, plan.Kept[d]);
            return refined;
        })];
        return plan with { Small = small, Restore = restore };
    }

    /// <summary>Clears the gradients of fixed weights: kept units map to themselves, directions do not mix, and there is no offset.</summary>
    public static void Hold(Network network, NodePlan plan)
    {
        int units = plan.Units, width = plan.Directions * units;
        Tensor gradient = network.Parameters.Gradient(ParameterSpec.Readout);
        float[] values = gradient.ToArray();
        for (int row = 0; row < plan.Directions * plan.Hidden; row++)
        {
            int d = row / plan.Hidden;
            Span<float> line = values.AsSpan(row * width, width);
            if (plan.Kept[d].Contains(row % plan.Hidden)) line.Clear();
            line[..(d * units)].Clear();
            line[((d + 1) * units)..].Clear();
        }

        gradient.CopyFrom<float>(values);
        network.Backend.Fill(network.Parameters.Gradient("readout.bias"), 0);
        if (plan.Small.Bias is not null) return;
        for (int d = 0; d < plan.Directions; d++)
        {
            network.Backend.Fill(network.Parameters.Gradient("rnn.bias_ih_l0" + End(d)), 0);
            network.Backend.Fill(network.Parameters.Gradient("rnn.bias_hh_l0" + End(d)), 0);
        }
    }

    private static string End(int direction) => direction == 0 ? "" : ParameterSpec.Reverse;

    private static Constant Copy(Constant constant) => constant with { Values = [.. constant.Values] };

    // B of one direction is the input's bias, then the recurrent one's.
    private static IEnumerable<(string Name, Constant Constant, int Block, int Blocks)> Parts(NodeWeights weights)
    {
        yield return ("rnn.weight_ih_l0", weights.Input, 0, 1);
        yield return ("rnn.weight_hh_l0", weights.Recurrent, 0, 1);
        if (weights.Bias is not { } bias) yield break;
        yield return ("rnn.bias_ih_l0", bias, 0, 2);
        yield return ("rnn.bias_hh_l0", bias, 1, 2);
    }

    private static Span<float> Part(Constant constant, int direction, int directions, int block, int blocks)
    {
        int length = constant.Values.Length / (directions * blocks);
        return constant.Values.AsSpan((direction * blocks + block) * length, length);
    }
}
