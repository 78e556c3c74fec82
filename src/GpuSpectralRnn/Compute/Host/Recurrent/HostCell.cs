namespace GpuSpectralRnn.Compute.Host;

/// <summary>The mathematics of a recurrent cell on the processor, step by step.</summary>
internal abstract unsafe class HostCell
{
    private const int ChunkUnits = 1024;

    /// <summary>
    /// Whether parts of a step may have some of the units each: nothing of a step needs what other units do in it.
    /// </summary>
    public virtual bool SharesUnits => true;

    /// <summary>Runs the step walked as number <paramref name="number"/>, after those before it.</summary>
    public abstract void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part);

    /// <summary>After all steps: hands out the states after the last one, and clears those beyond a sequence's end.</summary>
    public virtual void Finish(RecurrentPass pass, HostRecurrentWorkspace own, StepPart part)
    {
        pass.Finish(part);
        pass.FillPadding(pass.Output, part, null);
    }

    /// <summary>
    /// Goes back over the step walked as number <paramref name="number"/>, after those behind it: what the workspace keeps of it turns into gradients
    /// (<see cref="HostRecurrentWorkspace.Gates"/>, <see cref="HostRecurrentWorkspace.Products"/>; where there are no gates, dL/dh does). What the step
    /// behind it hands on is computed first, from all of that step's gradients.
    /// </summary>
    public abstract void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part);

    /// <summary>After all steps: the gradient of the initial state, into the workspace's carries or the place for it.</summary>
    public abstract void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part);

    /// <summary>
    /// Where the walk enters a block of <see cref="HostRecurrentWorkspace.Block"/> steps with the step walked as number <paramref name="number"/>:
    /// W_ih x + b of all of them into the part's sums.
    /// </summary>
    protected static void MultiplyInputs(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        (_, int steps, int batch, int inputs, _) = pass.Shape;
        int block = pass.StepAt(number) / own.Block;
        if (number > 0 && pass.StepAt(number - 1) / own.Block == block) return;
        int first = block * own.Block;
        float* x = pass.Input + (first * (long)batch + part.From) * inputs; // [steps of the block, B, I]
        (nint, nint, nint) walk = (Math.Min(own.Block, steps - first), (nint)batch * inputs, own.StepStride(part));
        own.Input.Multiply(part, walk, x, inputs, own.Sums(first, part), own.GateStride(part));
    }

    /// <summary>
    /// Rows that functions run over at once: as many as stay in the first-level cache from one to the next; one where rows stand apart.
    /// </summary>
    protected static nint ChunkRows(StepPart part, nint rowStride) => part.HasAllUnits && rowStride == part.Hidden ? Math.Max(1, ChunkUnits / part.UnitCount) : 1;

    /// <summary>
    /// Copies gates of some rows from sums, whose gates and rows stand apart by their strides, to the part's units of rows that stand rowLength apart;
    /// nothing where they are there already.
    /// </summary>
    protected static void Keep(
        StepPart part, (nint First, nint End) rows, int gates, float* sums, (nint Gate, nint Row) strides, float* target, nint rowLength)
    {
        if (sums == target) return;
        int count = part.UnitCount;
        for (nint row = rows.First; row < rows.End; row++)
        {
            for (int gate = 0; gate < gates; gate++)
            {
                float* to = target + row * rowLength + gate * part.Hidden + part.FirstUnit;
                new ReadOnlySpan<float>(sums + gate * strides.Gate + row * strides.Row, count).CopyTo(new Span<float>(to, count));
            }
        }
    }
}

/// <summary>The operands of a pass back that are not the forward pass' own.</summary>
/// <param name="outputGradient">dL/dh [T, B, H].</param>
/// <param name="gradientFrom">The steps walked before this one have none.</param>
/// <param name="initialGradient">Receives dL/dh_0 [B, H]; null where it is not wanted.</param>
/// <param name="initialCellGradient">Receives dL/dc_0 [B, H]; null where it is not wanted.</param>
internal readonly unsafe struct BackwardPass(float* outputGradient, int gradientFrom, float* initialGradient, float* initialCellGradient)
{
    public readonly float* OutputGradient = outputGradient;
    public readonly float* InitialGradient = initialGradient;
    public readonly float* InitialCellGradient = initialCellGradient;

    /// <summary>dL/dh [rows, H] of a step from row <paramref name="from"/> on, or null where the step has none.</summary>
    public float* Given(RecurrentPass pass, int number, long from) =>
        number < gradientFrom ? null : pass.Row(OutputGradient, pass.StepAt(number), from);
}
