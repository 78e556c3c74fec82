namespace GpuSpectralRnn.Compute.Host;

/// <summary>A GRU layer's steps.</summary>
internal sealed unsafe class GruLayer : HostCell
{
    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden, units = part.UnitCount;
        int t = pass.StepAt(number);
        float* a = own.Sums(t, part);
        float* product = own.StateSums(t, part);
        nint gateStride = own.GateStride(part), productStride = own.StateGateStride(part), rowStride = own.RowStride(part);
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.Multiply(part, (1, 0, 0), before, hidden, product, productStride);
        else own.Hidden.Repeat(part, product, productStride);
        nint chunk = before == null ? 1 : ChunkRows(part, rowStride);
        for (nint first = 0; first < part.Rows; first += chunk)
        {
            (nint First, nint End) rows = (first, Math.Min(part.Rows, first + chunk));
            nint at = first * rowStride, state = first * hidden + part.FirstUnit;
            float* start = before == null ? own.Zeros : before + state;
            GruPointwise.Forward(a + at, gateStride, product + at, productStride, start, h + state, (rows.End - first) * units);
            if (!own.IsTraining) continue;
            Keep(part, rows, 3, a, (gateStride, rowStride), own.Gates(t, part), pass.Shape.GateRows);
            Keep(part, rows, 1, product + 2 * productStride, (0, rowStride), own.Products(t, part) + 2 * hidden, pass.Shape.GateRows);
        }

        pass.HoldPadding(t, part, h, before);
    }

    /// <summary>Gates and products turn into gradients of the two parts of the pre-activations.</summary>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint width = pass.Shape.GateRows;
        float* carry = own.Carry(part); // [rows, units]
        if (number + 1 == steps) part.Gather(null, carry);
        else Carry(pass, own, number + 1, part);
        int t = pass.StepAt(number);
        float* a = own.Gates(t, part); // [rows, 3H]
        float* product = own.Products(t, part); // [rows, 3H]
        float* before = pass.Before(number, part.From); // [rows, H]
        float* given = back.Given(pass, number, part.From); // [rows, H]
        for (nint row = 0; row < part.Rows; row++)
        {
            if (pass.IsPadding(t, part.From + row))
            {
                part.Clear(a + row * width, 3);
                part.Clear(product + row * width, 3);
                continue;
            }

            nint at = row * hidden + part.FirstUnit;
            float* start = before == null ? own.Zeros : before + at;
            float* direct = given == null ? null : given + at;
            float* gates = a + row * width + part.FirstUnit, sums = product + row * width + part.FirstUnit;
            Elementwise.Run(new GruPointwise.Backward(gates, sums, hidden, start, direct, carry + row * part.UnitCount), 0, part.UnitCount);
        }
    }

    /// <summary>Carry turns into the gradient of the initial state.</summary>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient == null) return;
        Carry(pass, own, 0, part);
        part.Scatter(own.Carry(part), back.InitialGradient + part.From * pass.Shape.Hidden);
    }

    // What a step hands on to the one before it.
    private static void Carry(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int units = part.UnitCount;
        float* carry = own.Carry(part);
        own.Back(part).Multiply(part.Rows, own.Products(pass.StepAt(number), part), pass.Shape.GateRows, carry, units, carry, units);
    }
}
