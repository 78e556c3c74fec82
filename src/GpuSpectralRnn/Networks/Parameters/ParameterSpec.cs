using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>One named parameter of a network and its place in the flat block.</summary>
/// <param name="Name">For example <c>rnn.weight_hh_l0</c>.</param>
/// <param name="Shape">Its extents in PyTorch's layout.</param>
/// <param name="Offset">Its first element in the block.</param>
public sealed record ParameterSpec(string Name, Shape Shape, long Offset = 0)
{
    /// <summary>Every parameter starts at a multiple of this many floats (64 bytes); the gaps hold zeros.</summary>
    public const int Alignment = 16;

    /// <summary>A stack's embedding weights [V, E].</summary>
    public const string Embedding = "embedding.weight";

    /// <summary>A stack's read-out weights [O, D*H]; the embedding's where they are tied.</summary>
    public const string Readout = "readout.weight";

    /// <summary>What PyTorch appends to the names of the reverse direction.</summary>
    public const string Reverse = "_reverse";

    /// <summary>How it is drawn.</summary>
    public Initializer Initializer { get; init; } = Initializer.Zeros;

    /// <summary>What its optimiser steps have in common with those of other parameters.</summary>
    public ParameterGroup Group { get; init; } = ParameterGroup.Weights;

    /// <summary>The first place behind it at which a parameter may start.</summary>
    internal long End => Align(Offset + Shape.Count);

    /// <summary>The first place from an offset on at which a part of a block may start.</summary>
    internal static long Align(long offset) => (offset + Alignment - 1) / Alignment * Alignment;
}
