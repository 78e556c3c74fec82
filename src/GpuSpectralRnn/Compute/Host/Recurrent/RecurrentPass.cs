namespace GpuSpectralRnn.Compute.Host;

/// <summary>The operands of one pass over a recurrent layer, and the order in which it walks.</summary>
internal readonly unsafe struct RecurrentPass
{
    /// <summary>Takes the addresses of checked operands.</summary>
    /// <exception cref="ArgumentException">A length is not one of 0..T.</exception>
    public RecurrentPass(
        HostBackend backend, RecurrentShape shape, Tensor input, RecurrentState? initial, Tensor output, RecurrentState? final, Tensor? lengths)
    {
        Shape = shape;
        Input = backend.Address(input);
        Output = backend.Address(output);
        InitialHidden = backend.AddressOrNull(initial?.Hidden);
        InitialCell = backend.AddressOrNull(initial?.Cell);
        FinalHidden = backend.AddressOrNull(final?.Hidden);
        FinalCell = backend.AddressOrNull(final?.Cell);
        Lengths = lengths is null ? null : backend.Address<int>(lengths);
        for (int b = 0; Lengths != null && b < shape.Batch; b++)
        {
            if (Lengths[b] < 0 || Lengths[b] > shape.Steps)
                throw new ArgumentException($"Sequence {b} has the length {Lengths[b]}; choose one of 0..{shape.Steps}.", nameof(lengths));
        }
    }

    public RecurrentShape Shape { get; }

    /// <summary>x [T, B, I].</summary>
    public float* Input { get; }

    /// <summary>h [T, B, H].</summary>
    public float* Output { get; }

    /// <summary>[B, H], or null for zero.</summary>
    public float* InitialHidden { get; }

    /// <summary>[B, H], or null for zero.</summary>
    public float* InitialCell { get; }

    /// <summary>[B, H], or null.</summary>
    public float* FinalHidden { get; }

    /// <summary>[B, H], or null.</summary>
    public float* FinalCell { get; }

    /// <summary>[B], or null where every sequence has T steps.</summary>
    public int* Lengths { get; }

    /// <summary>The step that is walked as number <paramref name="number"/>.</summary>
    public int StepAt(int number) => Shape.IsReverse ? Shape.Steps - 1 - number : number;

    /// <summary>The step of sequence <paramref name="row"/> that is walked first; of an empty one step 0, which is padding.</summary>
    public int FirstStep(long row) => !Shape.IsReverse ? 0 : Lengths == null ? Shape.Steps - 1 : Math.Max(0, Lengths[row] - 1);

    /// <summary>Whether step <paramref name="step"/> lies beyond the length of sequence <paramref name="row"/>.</summary>
    public bool IsPadding(int step, long row) => Lengths != null && step >= Lengths[row];

    /// <summary>
    /// The hidden states [rows, H] before the step walked as number <paramref name="number"/>, from row <paramref name="from"/> on; null for zero.
    /// </summary>
    public float* Before(int number, long from) =>
        number > 0 ? Row(Output, StepAt(number - 1), from) : InitialHidden == null ? null : InitialHidden + from * Shape.Hidden;

    /// <summary>Row <paramref name="row"/> of step <paramref name="step"/> of something [T, B, H].</summary>
    public float* Row(float* x, int step, long row) => x + (step * (long)Shape.Batch + row) * Shape.Hidden;

    /// <summary>
    /// Lets the state of sequences that are over, or have not begun, stand still: their rows of <paramref name="now"/> [rows, H] become those of
    /// <paramref name="before"/> (zero where null), for the part's units.
    /// </summary>
    public void HoldPadding(int step, StepPart part, float* now, float* before) =>
        HoldPadding(step, part, now + part.FirstUnit, before == null ? null : before + part.FirstUnit, part.Hidden);

    /// <summary>The same for something whose rows stand <paramref name="stride"/> apart, from the part's first unit on.</summary>
    public void HoldPadding(int step, StepPart part, float* now, float* before, nint stride)
    {
        if (Lengths == null) return;
        for (nint row = 0, at = 0; row < part.Rows; row++, at += stride)
        {
            if (step < Lengths[part.From + row]) continue;
            Span<float> target = new(now + at, part.UnitCount);
            if (before == null) target.Clear();
            else new ReadOnlySpan<float>(before + at, part.UnitCount).CopyTo(target);
        }
    }

    /// <summary>
    /// Sets the part's rows of all steps beyond their sequence's length, of x [T, B, H], to their row of source [B, H] (zero where null).
    /// </summary>
    public void FillPadding(float* x, StepPart part, float* source)
    {
        if (Lengths == null) return;
        for (int step = 0; step < Shape.Steps; step++)
            HoldPadding(step, part, Row(x, step, part.From), source == null ? null : source + part.From * Shape.Hidden);
    }

    /// <summary>Copies the part's hidden states after the last step walked to <see cref="FinalHidden"/> where that is wanted.</summary>
    public void Finish(StepPart part)
    {
        if (FinalHidden != null) part.Copy(Row(Output, StepAt(Shape.Steps - 1), part.From), FinalHidden + part.From * Shape.Hidden);
    }
}
