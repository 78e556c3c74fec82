using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>The recurrent cells a network can be built from.</summary>
public enum Cell
{
    /// <summary>Elman with ReLU, started at the identity (Le, Jaitly, Hinton 2015).</summary>
    Irnn,

    /// <summary>Elman with tanh.</summary>
    RnnTanh,

    /// <summary>Elman with ReLU, started as PyTorch does.</summary>
    RnnRelu,

    /// <summary>LSTM, gates i, f, g, o (see <see cref="CellKind.Lstm"/>).</summary>
    Lstm,

    /// <summary>GRU, gates r, z, n (see <see cref="CellKind.Gru"/>).</summary>
    Gru,
}

/// <summary>What follows from the choice of a cell.</summary>
public static class Cells
{
    /// <summary>The recurrence the backends compute for it.</summary>
    public static CellKind Kind(this Cell cell) => cell switch
    {
        Cell.RnnTanh => CellKind.RnnTanh,
        Cell.Irnn or Cell.RnnRelu => CellKind.RnnRelu,
        Cell.Lstm => CellKind.Lstm,
        Cell.Gru => CellKind.Gru,
        _ => throw new ArgumentOutOfRangeException(nameof(cell), cell, "Unknown cell."),
    };

    /// <summary>G: how many blocks of H rows its weight matrices stack.</summary>
    public static int Gates(this Cell cell) => cell.Kind().Gates();
}
