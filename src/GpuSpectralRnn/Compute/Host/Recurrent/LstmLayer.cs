namespace GpuSpectralRnn.Compute.Host;

/// <summary>An LSTM layer's steps for some rows of the batch.</summary>
internal unsafe class LstmLayer : HostCell
{
    /// <inheritdoc/>
    public override void Forward(RecurrentPass pass, HostRecurrentWorkspace own, long from, long to)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint rows = (nint)(to - from);
        nint width = pass.Shape.GateRows;
        for (int number = 0; number < steps; number++)
        {
            int t = pass.StepAt(number);
            float* a = own.GatesAt(t, from); // [rows, 4H]
            float* h = pass.Row(pass.Output, t, from); // [rows, H]
            float* before = pass.Before(number, from, pass.Output, pass.InitialHidden); // [rows, H]
            float* c = own.CellsAt(number, t, from); // [rows, H]
            float* cellBefore = CellBefore(pass, own, number, from); // [rows, H]
            MultiplyInputs(pass, own, number, from, to);
            if (before != null) own.Hidden.Multiply(rows, before, hidden, a, width, a, width);
            for (nint row = 0; row < rows; row++)
            {
                float* start = cellBefore == null ? own.Zeros : cellBefore + row * hidden;
                ForwardRow(own, hidden, a + row * width, start, c + row * hidden, h + row * hidden);
            }

            pass.HoldPadding(t, from, to, h, before);
            pass.HoldPadding(t, from, to, c, cellBefore);
        }

        pass.Finish(from, to, pass.Output, pass.FinalHidden);
        if (pass.FinalCell != null)
        {
            long bytes = (to - from) * hidden * sizeof(float);
            Buffer.MemoryCopy(own.CellsAt(steps - 1, pass.StepAt(steps - 1), from), pass.FinalCell + from * hidden, bytes, bytes);
        }

        pass.FillPadding(pass.Output, from, to, null);
    }

    /// <summary>
    /// Goes back over all steps of rows from..to: the gates turn into gradients of pre-activations, carry and cell carry into those of the initial
    /// state.
    /// </summary>
    public override void Backward(RecurrentPass pass, HostRecurrentWorkspace own, float* outputGradient, int gradientFrom, float* initialGradient, long from, long to)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint rows = (nint)(to - from);
        nint width = pass.Shape.GateRows;
        float* carry = own.Carry + from * hidden; // [rows, H]
        float* cellCarry = own.CellCarry + from * hidden; // [rows, H]
        new Span<float>(carry, checked((int)(rows * hidden))).Clear();
        new Span<float>(cellCarry, checked((int)(rows * hidden))).Clear();
        for (int number = steps - 1; number >= 0; number--)
        {
            int t = pass.StepAt(number);
            float* a = own.GatesAt(t, from); // [rows, 4H]
            float* c = own.CellsAt(number, t, from); // [rows, H]
            float* cellBefore = CellBefore(pass, own, number, from); // [rows, H]
            float* given = number < gradientFrom ? null : pass.Row(outputGradient, t, from); // [rows, H]
            for (nint row = 0; row < rows; row++)
            {
                nint at = row * hidden;
                if (pass.IsPadding(t, from + row))
                {
                    new Span<float>(a + row * width, (int)width).Clear();
                    continue;
                }

                float* start = cellBefore == null ? own.Zeros : cellBefore + at;
                float* direct = given == null ? null : given + at;
                BackwardRow(own, hidden, from + row, a + row * width, start, c + at, direct, carry + at, cellCarry + at);
                if (pass.Lengths != null) new Span<float>(carry + at, hidden).Clear();
            }

            // Where a sequence is over or has not begun, its carry stands still: its gradients are zero and are added to it.
            if (number == 0 && initialGradient == null) return;
            own.Back!.Multiply(rows, a, width, carry, hidden, pass.Lengths == null ? null : carry, hidden);
        }
    }

    /// <summary>What a step does to one row: as <see cref="LstmPointwise.Forward"/> has it.</summary>
    protected virtual void ForwardRow(HostRecurrentWorkspace own, int hidden, float* a, float* before, float* c, float* h) =>
        LstmPointwise.Forward(a, hidden, before, c, h);

    /// <summary>What a step back does to row <paramref name="row"/>: as <see cref="LstmPointwise.Backward"/> has it.</summary>
    protected virtual void BackwardRow(
        HostRecurrentWorkspace own, int hidden, long row, float* a, float* before, float* c, float* given, float* carry, float* dc) =>
        Elementwise.Run(new LstmPointwise.Backward(a, hidden, before, c, given, carry, dc), 0, hidden);

    private static float* CellBefore(RecurrentPass pass, HostRecurrentWorkspace own, int number, long from) =>
        number > 0 ? own.CellsAt(number - 1, pass.StepAt(number - 1), from)
        : pass.InitialCell == null ? null : pass.InitialCell + from * pass.Shape.Hidden;
}
