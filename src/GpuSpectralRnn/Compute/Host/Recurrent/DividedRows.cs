namespace GpuSpectralRnn.Compute.Host;

/// <summary>Something [T, B, length] whose rows stand together, or in one block of memory for each of some parts with all units.</summary>
internal readonly unsafe struct DividedRows
{
    private readonly float* start;
    private readonly PartMemory? memory;
    private readonly StepPart[] parts;
    private readonly int length;

    /// <summary>Rows that stand together, [T, B, length].</summary>
    public DividedRows(float* start, int batch, int length)
    {
        this.start = start;
        this.length = length;
        parts = [StepPart.OfRows(0, 0, batch, length)];
    }

    /// <summary>Rows in blocks of memory whose slots are the steps.</summary>
    public DividedRows(PartMemory memory, StepPart[] parts)
    {
        (this.memory, this.parts, length) = (memory, parts, memory.RowLength);
    }

    /// <summary>The parts, in order.</summary>
    public StepPart[] Parts => parts;

    /// <summary>The rows of one part at one step.</summary>
    public float* At(int step, StepPart part) => memory is null ? start + (step * part.Rows + part.From) * length : memory.At(step, part);

    /// <summary>
    /// Row <paramref name="row"/> of the T B rows, sequence row % B at step row / B, and how many stand behind it without a gap, itself included.
    /// </summary>
    public float* At(long row, out long count)
    {
        (long step, long sequence) = Math.DivRem(row, parts[^1].To);
        int i = 0;
        while (sequence >= parts[i].To) i++;
        count = parts[i].To - sequence;
        return At((int)step, parts[i]) + (sequence - parts[i].From) * length;
    }
}
