namespace GpuSpectralRnn.Compute.Host;

/// <summary>What one thread computes of a step: some rows of the batch, and of these all units or some.</summary>
/// <param name="From">The first row.</param>
/// <param name="To">Behind the last one.</param>
/// <param name="FirstUnit">The first unit.</param>
/// <param name="EndUnit">Behind the last one.</param>
/// <param name="Hidden">Units of the layer, H.</param>
internal readonly record struct StepPart(long From, long To, int FirstUnit, int EndUnit, int Hidden)
{
    /// <summary>Number of rows.</summary>
    public nint Rows => (nint)(To - From);

    /// <summary>The units.</summary>
    public (int From, int To) Units => (FirstUnit, EndUnit);

    /// <summary>Whether these are all units.</summary>
    public bool HasAllUnits => EndUnit - FirstUnit == Hidden;

    /// <summary>In how many stretches, H apart from the first unit on, the part of something [rows, H] stands whose first row is the part's.</summary>
    public nint Stretches => HasAllUnits ? 1 : Rows;

    /// <summary>Numbers of a stretch.</summary>
    public nint StretchLength => HasAllUnits ? Rows * Hidden : EndUnit - FirstUnit;

    /// <summary>Rows <paramref name="from"/>..<paramref name="to"/> with all <paramref name="hidden"/> units.</summary>
    public static StepPart OfRows(long from, long to, int hidden) => new(from, to, 0, hidden, hidden);

    /// <summary>Part <paramref name="number"/> of <paramref name="parts"/> of the units, in whole panels, with all <paramref name="batch"/> rows.</summary>
    public static StepPart OfUnits(int number, int parts, int batch, int hidden)
    {
        int panels = GemmKernel.Panels(hidden);
        return new(0, batch, Border(number), Border(number + 1), hidden);

        int Border(int i) => Math.Min(hidden, panels * i / parts * GemmKernel.PanelWidth);
    }

    /// <summary>Sets the part of x [rows, H] to zero.</summary>
    public unsafe void Clear(float* x)
    {
        for (nint i = 0; i < Stretches; i++) new Span<float>(x + i * Hidden + FirstUnit, checked((int)StretchLength)).Clear();
    }

    /// <summary>Copies the part of source [rows, H] to target [rows, H].</summary>
    public unsafe void Copy(float* source, float* target)
    {
        long bytes = StretchLength * sizeof(float);
        for (nint i = 0, at = FirstUnit; i < Stretches; i++, at += Hidden) Buffer.MemoryCopy(source + at, target + at, bytes, bytes);
    }

    /// <summary>Runs <paramref name="body"/> over the part's units of gates <paramref name="first"/>..<paramref name="end"/> of a row [G*H].</summary>
    public void RunGates<TBody>(TBody body, int first, int end)
        where TBody : struct, IElementwise
    {
        if (HasAllUnits) Elementwise.Run(body, first * Hidden, end * Hidden);
        else for (int gate = first; gate < end; gate++) Elementwise.Run(body, gate * Hidden + FirstUnit, gate * Hidden + EndUnit);
    }
}
