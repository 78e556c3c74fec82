namespace GpuSpectralRnn.Kernels;

/// <summary>
/// How a group of threads holds a recurrent layer's weights on chip and walks all steps of its own sequences. Every thread owns one unit of one
/// sequence, and multiplies four rows of the weights (units; the gates of one unit in a gated cell's forward pass) with some of the columns, for all
/// sequences of its group. The lanes that share those rows have every so manieth quad of columns: lane l quads l, l + lanes, ...
/// </summary>
public sealed record PersistentTile
{
    private const int QuadBytes = 16;

    private PersistentTile()
    {
    }

    /// <summary>H, rounded up to what the tile has threads for; the weights beyond H are zero.</summary>
    public required int Units { get; init; }

    /// <summary>Sequences of a group.</summary>
    public required int Sequences { get; init; }

    /// <summary>How many threads share their rows.</summary>
    public required int Lanes { get; init; }

    /// <summary>Rows of weights that a thread has: 4, or the number of gates.</summary>
    public required int Rows { get; init; }

    /// <summary>Whether a thread's rows are one unit's gates; else they are four units.</summary>
    public required bool RowsAreGates { get; init; }

    /// <summary>Quads of columns that a thread keeps in registers: 2 or 4.</summary>
    public required int RegisterStrips { get; init; }

    /// <summary>Quads of columns that a thread keeps in shared memory.</summary>
    public required int SharedStrips { get; init; }

    /// <summary>Whether the lanes add up their sums by shuffles; else through shared memory.</summary>
    public required bool UsesShuffles { get; init; }

    /// <summary>
    /// Whether a thread's four units are in turned order, number t mod 4 xor 0, 1, 2, 3 of its four: its own first, as shuffles want it.
    /// </summary>
    public bool RowsAreTurned => UsesShuffles && !RowsAreGates;

    /// <summary>Threads of a group.</summary>
    public int Threads => Units * Sequences;

    /// <summary>
    /// From a sequence's state to the next in shared memory, in floats: so that threads next to each other write to different banks.
    /// </summary>
    public int Pitch
    {
        get
        {
            int extent = 4 * Lanes * (RegisterStrips + SharedStrips);
            int wanted = 32 / Sequences;
            return extent + (wanted - extent % 32 + 32) % 32;
        }
    }

    /// <summary>Where the memory for the exchange begins, in quads: behind both copies of the states.</summary>
    public int ScratchAt => 2 * Sequences * Pitch / 4;

    /// <summary>Where the weights begin, in quads.</summary>
    public int WeightsAt => ScratchAt + (UsesShuffles ? 0 : Sequences * (Threads / Lanes) * (Lanes + 1));

    /// <summary>Shared memory of a group.</summary>
    public int SharedBytes => (WeightsAt + SharedStrips * Rows * Threads) * QuadBytes;

    /// <summary>Quads of the weights as the kernels read them: [strip, row, thread].</summary>
    public int WeightQuads => (RegisterStrips + SharedStrips) * Rows * Threads;

    /// <summary>An Elman cell's, either way: two sequences to a group, eight lanes to four units.</summary>
    /// <param name="width">H.</param>
    /// <param name="usesShuffles">Whether the lanes add up their sums by shuffles.</param>
    /// <param name="registerStrips">Quads of columns in registers, if there are so many: 4, or 2 where registers are short.</param>
    public static PersistentTile Elman(int width, bool usesShuffles, int registerStrips = 4)
    {
        int units = RoundUp(width, 32);
        return Create(units, units, sequences: 2, lanes: 8, rows: 4, rowsAreGates: false, usesShuffles, registerStrips);
    }

    /// <summary>A gated cell's forward pass: four sequences to a group, four lanes to the gates of a unit.</summary>
    public static PersistentTile GatedForward(int gates, int width, bool usesShuffles, int registerStrips = 4)
    {
        int units = RoundUp(width, 16);
        return Create(units, units, sequences: 4, lanes: 4, rows: gates, rowsAreGates: true, usesShuffles, registerStrips);
    }

    /// <summary>
    /// A gated cell's backward pass: four sequences to a group, sixteen lanes to four units; the columns are the gates of all units.
    /// </summary>
    public static PersistentTile GatedBackward(int gates, int width, bool usesShuffles, int registerStrips = 4)
    {
        int units = RoundUp(width, 16);
        return Create(units, gates * units, sequences: 4, lanes: 16, rows: 4, rowsAreGates: false, usesShuffles, registerStrips);
    }

    private static PersistentTile Create(int units, int columns, int sequences, int lanes, int rows, bool rowsAreGates, bool usesShuffles, int registerStrips)
    {
        int strips = (columns + 4 * lanes - 1) / (4 * lanes);
        int inRegisters = strips <= 2 ? 2 : registerStrips;
        return new PersistentTile
        {
            Units = units,
            Sequences = sequences,
            Lanes = lanes,
            Rows = rows,
            RowsAreGates = rowsAreGates,
            RegisterStrips = inRegisters,
            SharedStrips = Math.Max(0, strips - inRegisters),
            UsesShuffles = usesShuffles,
        };
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}
