using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Numbers of a layer's steps, in a block of memory for each part: [slots][rows][numbers a unit * units of the part], blocks far apart. In one array
/// [B, ...] a processor that fetches ahead of a thread's last rows takes lines away from the thread that is writing the next ones: an LSTM of 128
/// units with 64 sequences took two fifths longer to infer and to train.
/// </summary>
internal sealed unsafe class PartMemory : IDisposable
{
    /// <summary>
    /// Floats between blocks, 256 KiB: tiles of 8 rows of 512 numbers are 16 KiB apart, and four such strides, 64 KiB, were not enough.
    /// </summary>
    public const int Gap = 1 << 16;

    private readonly int slots, batch, hidden, numbers, unit;
    private readonly bool isPadded;
    private readonly ThreadScratch memory;

    /// <summary>
    /// Takes memory for up to <paramref name="parts"/> parts of B sequences with H units, with <paramref name="numbers"/> numbers a unit; rows fill
    /// their last vectors where they are padded.
    /// </summary>
    public PartMemory(int parts, int slots, int batch, int hidden, int numbers, bool isPadded = false)
    {
        (this.slots, this.batch, this.hidden, this.numbers, this.isPadded) = (slots, batch, hidden, numbers, isPadded);
        (unit, RowLength) = (Length(1), Length(hidden));
        memory = new ThreadScratch(1, slots * (batch * ((long)RowLength + parts * unit)) + (parts - 1) * Gap);
    }

    /// <summary>Numbers of a row with all units.</summary>
    public int RowLength { get; }

    /// <summary>Slot <paramref name="slot"/> of the part, [rows, numbers a unit * units of the part].</summary>
    public float* At(int slot, StepPart part)
    {
        if (part.HasAllUnits) return memory.Of(0) + (part.From * slots + slot * part.Rows) * RowLength + part.Number * Gap;

        // Each row of the parts before it may have been padded.
        long before = (long)batch * (Length(part.FirstUnit) + part.Number * unit);
        return memory.Of(0) + before * slots + slot * part.Rows * Length(part.UnitCount) + part.Number * Gap;
    }

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();

    private int Length(int units) => isPadded ? GemmKernel.WholeVectors(units * numbers) : units * numbers;
}
