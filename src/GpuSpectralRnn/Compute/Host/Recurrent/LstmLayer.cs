namespace GpuSpectralRnn.Compute.Host;

/// <summary>An LSTM layer's steps.</summary>
internal unsafe class LstmLayer : HostCell
{
    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        int t = pass.StepAt(number);
        float* a = own.Sums(t, part);
        nint gateStride = own.GateStride(part), rowStride = own.RowStride(part);
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From); // [rows, H]
        float* cellBefore = own.CellsBefore(number, part); // [rows, units]
        float* c = own.CellsBefore(number + 1, part); // [rows, units]
        if (number == 0) part.Gather(pass.InitialCell == null ? null : pass.InitialCell + part.From * hidden, cellBefore);
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.AddProduct(part, before, hidden, a, gateStride);
        nint chunk = ChunkRows(part, rowStride), units = part.UnitCount;
        for (nint first = 0; first < part.Rows; first += chunk)
        {
            nint end = Math.Min(part.Rows, first + chunk), at = first * units;
            float* state = h + first * hidden + part.FirstUnit;
            ForwardRows(own, part, end - first, a + first * rowStride, gateStride, cellBefore + at, c + at, state);
            if (own.IsTraining) Keep(part, (first, end), 4, a, (gateStride, rowStride), own.Gates(t, part), pass.Shape.GateRows);
        }

        pass.HoldPadding(t, part, h, before);
        pass.HoldPadding(t, part, c, cellBefore, units);
    }

    /// <inheritdoc/>
    public override void Finish(RecurrentPass pass, HostRecurrentWorkspace own, StepPart part)
    {
        if (pass.FinalCell != null) part.Scatter(own.CellsBefore(pass.Shape.Steps, part), pass.FinalCell + part.From * pass.Shape.Hidden);
        base.Finish(pass, own, part);
    }

    /// <summary>The gates turn into gradients of pre-activations.</summary>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint width = pass.Shape.GateRows;
        int units = part.UnitCount;
        float* carry = own.Carry(part); // [rows, units]
        float* cellCarry = own.CellCarry(part); // [rows, units]
        if (number + 1 < steps)
        {
            Carry(pass, own, number + 1, part);
        }
        else
        {
            part.Gather(null, carry);
            part.Gather(null, cellCarry);
        }

        int t = pass.StepAt(number);
        float* a = own.Gates(t, part); // [rows, 4H]
        float* cellBefore = own.CellsBefore(number, part); // [rows, units]
        float* c = own.CellsBefore(number + 1, part); // [rows, units]
        float* given = back.Given(pass, number, part.From); // [rows, H]
        for (nint row = 0; row < part.Rows; row++)
        {
            if (pass.IsPadding(t, part.From + row))
            {
                part.Clear(a + row * width, 4);
                continue;
            }

            nint at = row * units;
            float* direct = given == null ? null : given + row * hidden + part.FirstUnit;
            BackwardRow(own, part, row, a + row * width + part.FirstUnit, cellBefore + at, c + at, direct, carry + at, cellCarry + at);
            if (pass.Lengths != null) new Span<float>(carry + at, units).Clear();
        }
    }

    /// <summary>Carry and cell carry turn into the gradients of the initial state.</summary>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient != null)
        {
            Carry(pass, own, 0, part);
            part.Scatter(own.Carry(part), back.InitialGradient + part.From * pass.Shape.Hidden);
        }

        if (back.InitialCellGradient != null) part.Scatter(own.CellCarry(part), back.InitialCellGradient + part.From * pass.Shape.Hidden);
    }

    /// <summary>
    /// What a step does to rows of the part's units that stand side by side, as <see cref="LstmPointwise.Forward"/> has it: a of each gate, before, c
    /// and h [rows, units].
    /// </summary>
    protected virtual void ForwardRows(
        HostRecurrentWorkspace own, StepPart part, nint rows, float* a, nint gateStride, float* before, float* c, float* h) =>
        LstmPointwise.Forward(a, gateStride, before, c, h, rows * part.UnitCount);

    /// <summary>What a step back does to row <paramref name="row"/> of the part: as <see cref="LstmPointwise.Backward"/> has it.</summary>
    protected virtual void BackwardRow(
        HostRecurrentWorkspace own, StepPart part, nint row, float* a, float* before, float* c, float* given, float* carry, float* dc) =>
        Elementwise.Run(new LstmPointwise.Backward(a, part.Hidden, before, c, given, carry, dc), 0, part.UnitCount);

    // What a step hands on to the one before it. Where a sequence is over or has not begun, its carry stands still: its gradients are zero and are
    // added to it.
    private static void Carry(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int units = part.UnitCount;
        float* carry = own.Carry(part);
        float* add = pass.Lengths == null ? null : carry;
        own.Back(part).Multiply(part.Rows, own.Gates(pass.StepAt(number), part), pass.Shape.GateRows, carry, units, add, units);
    }
}
