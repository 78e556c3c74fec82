using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// The recurrent cells a network can be built from: first the IRNN, an rnn-relu with initial weights of its own, then every <see cref="CellKind"/> in
/// its order. Their written names are those of model files.
/// </summary>
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

    /// <summary>GRU, gates r, z, n, the reset before the product (see <see cref="CellKind.GruResetBefore"/>).</summary>
    GruResetBefore,

    /// <summary>LSTM, gates i, f, g, o, with peepholes (see <see cref="CellKind.LstmPeephole"/>).</summary>
    LstmPeephole,
}

/// <summary>What follows from the choice of a cell.</summary>
public static class Cells
{
    /// <summary>The recurrence the backends compute for it.</summary>
    public static CellKind Kind(this Cell cell) => cell.Spec().Kind;

    /// <summary>What is to be known of that recurrence.</summary>
    public static CellSpec Spec(this Cell cell) => CellSpec.From(cell == Cell.Irnn ? CellKind.RnnRelu : (CellKind)(cell - 1));

    /// <summary>The cell of a recurrence, whose initial weights are PyTorch's.</summary>
    public static Cell From(CellKind kind) => (Cell)(kind + 1);

    /// <summary>The article before its name, which is spoken letter by letter: an lstm, a gru.</summary>
    internal static string Article(this Cell cell) => "aefhilmnorsx".Contains(cell.Name()[0]) ? "an" : "a";

    /// <summary>G: how many blocks of H rows its weight matrices stack.</summary>
    public static int Gates(this Cell cell) => cell.Spec().Gates;
}
