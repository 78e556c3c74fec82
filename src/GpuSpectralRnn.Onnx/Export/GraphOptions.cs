using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>Options of the ONNX export.</summary>
public sealed record GraphOptions
{
    /// <summary>Squeeze and ReduceSum take their axes as an input from this version on.</summary>
    public const int LeastOpset = 13;

    /// <summary>The newest version that the ONNX Runtime used here vouches for.</summary>
    public const int MostOpset = 26;

    /// <summary>The version of the operators.</summary>
    public int Opset { get; init; } = 17;

    /// <summary>
    /// Whether the state of every layer is an input (<c>h_l0</c> [1, batch, H], for an LSTM <c>c_l0</c> too) and an output (<c>h_l0_next</c>), so
    /// that a sequence can be given in pieces, down to single steps.
    /// </summary>
    public bool IsStateful { get; init; }

    /// <summary>Whether <c>lengths</c>, int32 [batch], valid steps of each sequence from 1 to time, is an input.</summary>
    public bool TakesLengths { get; init; }

    /// <summary>Checks that a network can be represented so.</summary>
    /// <exception cref="InvalidCallException">It cannot; the message says why.</exception>
    public void Check(Architecture architecture)
    {
        if (Opset is < LeastOpset or > MostOpset) throw new InvalidCallException($"Opset {Opset}: choose {LeastOpset} to {MostOpset}.");
        if (!IsStateful) return;
        if (architecture.IsBidirectional)
            throw new InvalidCallException(
                "A bidirectional network cannot be stateful: its reverse direction begins at the end of the sequence. Export it without.");
        if (architecture.Readout == Readout.Mean)
            throw new InvalidCallException(
                "A network with the read-out mean cannot be stateful: the mean is over all steps of a sequence, not of a call. Export it without.");
    }
}
