namespace GpuSpectralRnn.Compute.Host;

/// <summary>What one thread computes of a step: some rows of the batch, and of these all units or some.</summary>
/// <param name="From">The first row.</param>
/// <param name="To">Behind the last one.</param>
/// <param name="FirstUnit">The first unit.</param>
/// <param name="EndUnit">Behind the last one.</param>
/// <param name="HasAllUnits">Whether these are all.</param>
internal readonly record struct StepPart(long From, long To, int FirstUnit, int EndUnit, bool HasAllUnits)
{
    /// <summary>Number of rows.</summary>
    public nint Rows => (nint)(To - From);

    /// <summary>Rows <paramref name="from"/>..<paramref name="to"/> with all <paramref name="hidden"/> units.</summary>
    public static StepPart OfRows(long from, long to, int hidden) => new(from, to, 0, hidden, HasAllUnits: true);

    /// <summary>Part <paramref name="number"/> of <paramref name="parts"/> of the units, in whole panels, with all <paramref name="batch"/> rows.</summary>
    public static StepPart OfUnits(int number, int parts, int batch, int hidden)
    {
        int panels = GemmKernel.Panels(hidden);
        return new(0, batch, Border(number), Border(number + 1), HasAllUnits: false);

        int Border(int i) => Math.Min(hidden, panels * i / parts * GemmKernel.PanelWidth);
    }

    /// <summary>Sets the part of x [rows, H], whose first row is the part's, to zero.</summary>
    public unsafe void Clear(float* x, int hidden)
    {
        for (nint row = 0; row < Rows; row++) new Span<float>(x + row * hidden + FirstUnit, EndUnit - FirstUnit).Clear();
    }
}
