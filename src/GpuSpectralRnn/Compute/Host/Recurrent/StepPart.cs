namespace GpuSpectralRnn.Compute.Host;

/// <summary>What one thread computes of a step: some rows of the batch, and of these all units or some.</summary>
/// <param name="Number">Which of the parts.</param>
/// <param name="From">The first row.</param>
/// <param name="To">Behind the last one.</param>
/// <param name="FirstUnit">The first unit.</param>
/// <param name="EndUnit">Behind the last one.</param>
/// <param name="Hidden">Units of the layer, H.</param>
internal readonly record struct StepPart(int Number, long From, long To, int FirstUnit, int EndUnit, int Hidden)
{
    /// <summary>Number of rows.</summary>
    public nint Rows => (nint)(To - From);

    /// <summary>Number of units.</summary>
    public int UnitCount => EndUnit - FirstUnit;

    /// <summary>Whether these are all units.</summary>
    public bool HasAllUnits => UnitCount == Hidden;

    /// <summary>Which of the shares of the units: the number of a part that has some, 0 for all.</summary>
    public int Share => HasAllUnits ? 0 : Number;

    /// <summary>
    /// In how many stretches the part of something [rows, H] stands whose first row is the part's: from the first unit on, H apart.
    /// </summary>
    public nint Stretches => HasAllUnits ? 1 : Rows;

    /// <summary>Numbers of a stretch.</summary>
    public nint StretchLength => HasAllUnits ? Rows * Hidden : UnitCount;

    /// <summary>Part <paramref name="number"/>: rows <paramref name="from"/>..<paramref name="to"/> with all <paramref name="hidden"/> units.</summary>
    public static StepPart OfRows(int number, long from, long to, int hidden) => new(number, from, to, 0, hidden, hidden);

    /// <summary>All units of its rows.</summary>
    public StepPart AllUnits => HasAllUnits ? this : OfRows(0, From, To, Hidden);

    /// <summary>Part <paramref name="number"/> of <paramref name="parts"/> of the units, with all <paramref name="batch"/> rows.</summary>
    public static StepPart OfUnits(int number, int parts, int batch, int hidden) =>
        new(number, 0, batch, hidden * number / parts, hidden * (number + 1) / parts, hidden);

    /// <summary>Sets the part's units of each of some gates of a row [gates, H] to zero.</summary>
    public unsafe void Clear(float* row, int gates)
    {
        for (int gate = 0; gate < gates; gate++) new Span<float>(row + gate * Hidden + FirstUnit, UnitCount).Clear();
    }

    /// <summary>Copies the part of source [rows, H] to target [rows, units of the part], or sets that to zero where source is null.</summary>
    public unsafe void Gather(float* source, float* target)
    {
        for (nint i = 0; i < Stretches; i++)
        {
            Span<float> own = new(target + i * UnitCount, checked((int)StretchLength));
            if (source == null) own.Clear();
            else new ReadOnlySpan<float>(source + FirstUnit + i * Hidden, own.Length).CopyTo(own);
        }
    }

    /// <summary>Copies source [rows, units of the part] to the part of target [rows, H].</summary>
    public unsafe void Scatter(float* source, float* target)
    {
        int length = checked((int)StretchLength);
        for (nint i = 0; i < Stretches; i++)
            new ReadOnlySpan<float>(source + i * UnitCount, length).CopyTo(new Span<float>(target + FirstUnit + i * Hidden, length));
    }

    /// <summary>Copies the part of source [rows, H] to the same place of target.</summary>
    public unsafe void Copy(float* source, float* target)
    {
        int length = checked((int)StretchLength);
        for (nint i = 0, at = FirstUnit; i < Stretches; i++, at += Hidden) new ReadOnlySpan<float>(source + at, length).CopyTo(new Span<float>(target + at, length));
    }
}
