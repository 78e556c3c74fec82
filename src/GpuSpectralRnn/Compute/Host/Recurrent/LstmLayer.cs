namespace GpuSpectralRnn.Compute.Host;

/// <summary>An LSTM layer's steps.</summary>
internal unsafe class LstmLayer : HostCell
{
    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        nint width = pass.Shape.GateRows;
        int t = pass.StepAt(number);
        float* a = own.GatesAt(t, part.From); // [rows, 4H]
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From, pass.Output, pass.InitialHidden); // [rows, H]
        float* c = own.CellsAt(number, t, part.From); // [rows, H]
        float* cellBefore = CellBefore(pass, own, number, part.From); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.Multiply(part, before, hidden, a, width, a, width);
        for (nint row = 0; row < part.Rows; row++)
        {
            float* start = cellBefore == null ? own.Zeros : cellBefore + row * hidden;
            ForwardRow(own, hidden, a + row * width, start, c + row * hidden, h + row * hidden, part);
        }

        pass.HoldPadding(t, part.From, part.To, h, before);
        pass.HoldPadding(t, part.From, part.To, c, cellBefore);
    }

    /// <inheritdoc/>
    public override void Finish(RecurrentPass pass, HostRecurrentWorkspace own, StepPart part)
    {
        if (pass.FinalCell != null)
        {
            int last = pass.Shape.Steps - 1;
            part.Copy(own.CellsAt(last, pass.StepAt(last), part.From), pass.FinalCell + part.From * pass.Shape.Hidden);
        }

        base.Finish(pass, own, part);
    }

    /// <summary>The gates turn into gradients of pre-activations.</summary>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint width = pass.Shape.GateRows;
        float* carry = own.Carry + part.From * hidden; // [rows, H]
        float* cellCarry = own.CellCarry + part.From * hidden; // [rows, H]
        if (number + 1 < steps)
        {
            Carry(pass, own, number + 1, part);
        }
        else
        {
            part.Clear(carry);
            part.Clear(cellCarry);
        }

        int t = pass.StepAt(number);
        float* a = own.GatesAt(t, part.From); // [rows, 4H]
        float* c = own.CellsAt(number, t, part.From); // [rows, H]
        float* cellBefore = CellBefore(pass, own, number, part.From); // [rows, H]
        float* given = back.Given(pass, number, part.From); // [rows, H]
        for (nint row = 0; row < part.Rows; row++)
        {
            nint at = row * hidden;
            if (pass.IsPadding(t, part.From + row))
            {
                new Span<float>(a + row * width, (int)width).Clear();
                continue;
            }

            float* start = cellBefore == null ? own.Zeros : cellBefore + at;
            float* direct = given == null ? null : given + at;
            BackwardRow(own, hidden, part.From + row, a + row * width, start, c + at, direct, carry + at, cellCarry + at, part);
            if (pass.Lengths != null) new Span<float>(carry + at, hidden).Clear();
        }
    }

    /// <summary>Carry and cell carry turn into the gradients of the initial state.</summary>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient != null) Carry(pass, own, 0, part);
    }

    /// <summary>What a step does to one row: as <see cref="LstmPointwise.Forward"/> has it.</summary>
    protected virtual void ForwardRow(HostRecurrentWorkspace own, int hidden, float* a, float* before, float* c, float* h, StepPart part) =>
        LstmPointwise.Forward(a, hidden, before, c, h, part);

    /// <summary>What a step back does to row <paramref name="row"/>: as <see cref="LstmPointwise.Backward"/> has it.</summary>
    protected virtual void BackwardRow(
        HostRecurrentWorkspace own, int hidden, long row, float* a, float* before, float* c, float* given, float* carry, float* dc, StepPart part) =>
        Elementwise.Run(new LstmPointwise.Backward(a, hidden, before, c, given, carry, dc), part.FirstUnit, part.EndUnit);

    // What a step hands on to the one before it. Where a sequence is over or has not begun, its carry stands still: its gradients are zero and are
    // added to it.
    private static void Carry(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        float* carry = own.Carry + part.From * hidden;
        float* a = own.GatesAt(pass.StepAt(number), part.From);
        float* add = pass.Lengths == null ? null : carry;
        own.Back!.Multiply(part.Units, part.Rows, a, pass.Shape.GateRows, carry, hidden, add, hidden);
    }

    private static float* CellBefore(RecurrentPass pass, HostRecurrentWorkspace own, int number, long from) =>
        number > 0 ? own.CellsAt(number - 1, pass.StepAt(number - 1), from)
        : pass.InitialCell == null ? null : pass.InitialCell + from * pass.Shape.Hidden;
}
