using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>Where one named parameter lies in a network's flat block.</summary>
/// <param name="Name">PyTorch's name, for example <c>rnn.weight_hh_l0</c>.</param>
/// <param name="Shape">Its extents in PyTorch's layout.</param>
/// <param name="Offset">Its first element in the block.</param>
public sealed record ParameterSpec(string Name, Shape Shape, long Offset)
{
    /// <summary>Every parameter starts at a multiple of this many floats (64 bytes); the gaps hold zeros.</summary>
    public const int Alignment = 16;

    /// <summary>The embedding's weights [V, E].</summary>
    public const string Embedding = "embedding.weight";

    /// <summary>The read-out's weights [O, D*H]; no slot of its own where they are tied to the embedding's.</summary>
    public const string Readout = "readout.weight";

    /// <summary>How the names of peepholes [3H] begin; PyTorch has none.</summary>
    public const string Peephole = "rnn.weight_peephole_";

    /// <summary>What PyTorch appends to the names of the reverse direction.</summary>
    public const string Reverse = "_reverse";

    /// <summary>
    /// The parameters of a network in the order of the block: the embedding, where there is one; layer by layer weight_ih, weight_hh (or its two
    /// factors), bias_ih, bias_hh, peepholes where the cell has them, then the same of the reverse direction, where there is one; last the read-out, without weights where they are the
    /// embedding's.
    /// </summary>
    public static IReadOnlyList<ParameterSpec> From(Architecture architecture)
    {
        List<ParameterSpec> slots = [];
        int gates = architecture.Cell.Gates();
        if (architecture.Vocabulary > 0) Add(Embedding, architecture.Vocabulary, architecture.Inputs);
        for (int layer = 0; layer < architecture.Layers; layer++)
        {
            int hidden = architecture.Hidden[layer];
            Add($"rnn.weight_ih_l{layer}", gates * hidden, architecture.LayerInputs(layer));
            if (architecture.Rank(layer) is var rank && rank > 0)
            {
                Add($"rnn.weight_hh_left_l{layer}", gates * hidden, rank);
                Add($"rnn.weight_hh_right_l{layer}", rank, hidden);
            }
            else
            {
                Add($"rnn.weight_hh_l{layer}", gates * hidden, hidden);
            }

            Add($"rnn.bias_ih_l{layer}", gates * hidden);
            Add($"rnn.bias_hh_l{layer}", gates * hidden);
            if (architecture.Cell.Spec().HasPeepholes) Add($"{Peephole}l{layer}", 3 * hidden);
            if (!architecture.IsBidirectional) continue;
            Add($"rnn.weight_ih_l{layer}{Reverse}", gates * hidden, architecture.LayerInputs(layer));
            Add($"rnn.weight_hh_l{layer}{Reverse}", gates * hidden, hidden);
            Add($"rnn.bias_ih_l{layer}{Reverse}", gates * hidden);
            Add($"rnn.bias_hh_l{layer}{Reverse}", gates * hidden);
            if (architecture.Cell.Spec().HasPeepholes) Add($"{Peephole}l{layer}{Reverse}", 3 * hidden);
        }

        if (!architecture.TiesWeights) Add(Readout, architecture.Outputs, architecture.LayerOutputs(architecture.Layers - 1));
        Add("readout.bias", architecture.Outputs);
        return slots;

        void Add(string name, params int[] extents) => slots.Add(new ParameterSpec(name, new Shape(extents), slots.Count == 0 ? 0 : slots[^1].End));
    }

    /// <summary>P: elements of the whole block, gaps included.</summary>
    public static long Extent(Architecture architecture) => From(architecture)[^1].End;

    private long End => (Offset + Shape.Count + Alignment - 1) / Alignment * Alignment;
}
