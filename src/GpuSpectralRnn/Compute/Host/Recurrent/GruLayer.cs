namespace GpuSpectralRnn.Compute.Host;

/// <summary>A GRU layer's steps.</summary>
internal sealed unsafe class GruLayer : HostCell
{
    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden, units = part.UnitCount;
        nint width = 3 * units;
        int t = pass.StepAt(number);
        float* a = own.Sums(t, part); // [rows, 3 units]
        float* product = own.StateSums(part); // [rows, 3 units]
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From, pass.Output, pass.InitialHidden); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.Multiply(part, (1, 0, 0), before, hidden, product, width, own.HiddenBias);
        for (nint row = 0; row < part.Rows; row++)
        {
            float* start = before == null ? own.Zeros : before + row * hidden + part.FirstUnit;
            float* gates = a + row * width, sums = product + row * width;
            for (int gate = 0; before == null && gate < 3; gate++)
                new ReadOnlySpan<float>(own.HiddenBias + gate * hidden + part.FirstUnit, units).CopyTo(new Span<float>(sums + gate * units, units));
            GruPointwise.Forward(gates, sums, units, start, h + row * hidden + part.FirstUnit);
            if (!own.IsTraining) continue;
            Keep(part, gates, own.Gates(t, part) + row * pass.Shape.GateRows, 3);
            Keep(part, sums + 2 * units, own.Products(t, part) + row * pass.Shape.GateRows + 2 * hidden, 1);
        }

        pass.HoldPadding(t, part.From, part.To, h, before);
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
        float* before = pass.Before(number, part.From, pass.Output, pass.InitialHidden); // [rows, H]
        float* given = back.Given(pass, number, part.From); // [rows, H]
        for (nint row = 0; row < part.Rows; row++)
        {
            if (pass.IsPadding(t, part.From + row))
            {
                new Span<float>(a + row * width, (int)width).Clear();
                new Span<float>(product + row * width, (int)width).Clear();
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
        float* carry = own.Carry(part) - part.FirstUnit; // where unit 0 would stand
        float* product = own.Products(pass.StepAt(number), part);
        own.Back!.Multiply(part.Units, part.Rows, product, pass.Shape.GateRows, carry, units, carry, units);
    }
}
