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

    private readonly int slots, batch, hidden, numbers;
    private readonly ThreadScratch memory;

    /// <summary>
    /// Takes memory for up to <paramref name="parts"/> parts of B sequences with H units, with <paramref name="numbers"/> numbers a unit.
    /// </summary>
    public PartMemory(int parts, int slots, int batch, int hidden, int numbers)
    {
        (this.slots, this.batch, this.hidden, this.numbers) = (slots, batch, hidden, numbers);
        memory = new ThreadScratch(1, (long)slots * batch * hidden * numbers + (parts - 1) * Gap);
    }

    /// <summary>Numbers of a row with all units.</summary>
    public int RowLength => hidden * numbers;

    /// <summary>Slot <paramref name="slot"/> of the part, [rows, numbers a unit * units of the part].</summary>
    public float* At(int slot, StepPart part)
    {
        long before = part.From * hidden + (long)part.FirstUnit * batch;
        return memory.Of(0) + before * numbers * slots + part.Number * Gap + slot * (long)part.Rows * part.UnitCount * numbers;
    }

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();
}
