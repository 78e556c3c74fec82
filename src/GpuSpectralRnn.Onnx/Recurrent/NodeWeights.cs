using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Recurrent;

/// <summary>The weights of a recurrent node.</summary>
/// <param name="Gates">G, the number of gates.</param>
/// <param name="Input">W [D, G H, I].</param>
/// <param name="Recurrent">R [D, G H, H].</param>
/// <param name="Bias">B [D, 2 G H], or null.</param>
/// <param name="Peephole">P [D, 3 H], or null.</param>
internal sealed record NodeWeights(int Gates, Constant Input, Constant Recurrent, Constant? Bias, Constant? Peephole)
{
    /// <summary>D, the number of directions.</summary>
    public int Directions => Recurrent.Extents[0];

    /// <summary>H, the units of a direction.</summary>
    public int Hidden => Recurrent.Extents[2];

    /// <summary>I, the inputs of a step.</summary>
    public int Inputs => Input.Extents[2];

    /// <summary>Number of weights.</summary>
    public int Count => Input.Values.Length + Recurrent.Values.Length + (Bias?.Values.Length ?? 0) + (Peephole?.Values.Length ?? 0);

    /// <summary>Multiply-adds of a step: the numbers of W and R.</summary>
    public long MultiplyAdds => Input.Values.Length + Recurrent.Values.Length;

    /// <summary>Reads the weights, also where the graph computes them from constants.</summary>
    /// <exception cref="InvalidCallException">The node cannot be compressed; the message names it and says why.</exception>
    public static NodeWeights Read(ModelProto model, RecurrentNode node)
    {
        Constant? Take(RecurrentInput input)
        {
            string value = node.Input(input);
            if (value.Length == 0) return null;
            if (Constants.FindObstacle(node.Scope, value) is { } obstacle)
                throw new InvalidCallException($"{node}: its {input} is not constant, it hangs on {obstacle}; such a node cannot be compressed.");
            try
            {
                return Constants.Evaluate(model, node.Scope, value);
            }
            catch (InvalidCallException e)
            {
                throw new InvalidCallException($"{node}: {e.Message}", e);
            }
        }

        Constant? input = Take(RecurrentInput.W), recurrent = Take(RecurrentInput.R);
        NodeWeights weights = input is null || recurrent is null
            ? throw new RunFailedException($"{node} lacks W or R; the file is broken.")
            : new(node.Gates, input, recurrent, Take(RecurrentInput.B), Take(RecurrentInput.P));
        weights.Check(node);
        return weights;
    }

    /// <summary>R of one direction [G H, H].</summary>
    public Matrix RecurrentOf(int direction)
    {
        int rows = Gates * Hidden;
        return Matrix.From(rows, Hidden, Recurrent.Values.AsSpan(direction * rows * Hidden, rows * Hidden));
    }

    /// <summary>W of one direction [G H, I].</summary>
    public Matrix InputOf(int direction)
    {
        int rows = Gates * Hidden;
        return Matrix.From(rows, Inputs, Input.Values.AsSpan(direction * rows * Inputs, rows * Inputs));
    }

    private void Check(RecurrentNode node)
    {
        int d = Recurrent.Extents.Length == 3 ? Directions : 0, rows = d == 0 ? 0 : Gates * Hidden;
        bool fits = d is 1 or 2
            && Recurrent.Extents[1] == rows
            && Input.Extents.Length == 3 && Input.Extents[0] == d && Input.Extents[1] == rows
            && (Bias is null || Bias.Extents.SequenceEqual([d, 2 * rows]))
            && (Peephole is null || Peephole.Extents.SequenceEqual([d, 3 * Hidden]));
        if (!fits)
            throw new RunFailedException(
                $"{node}: W {Text(Input)}, R {Text(Recurrent)}, B {Text(Bias)} and P {Text(Peephole)} do not fit together; the file is broken.");
    }

    private static string Text(Constant? constant) => constant is null ? "-" : $"[{string.Join(", ", constant.Extents)}]";
}
