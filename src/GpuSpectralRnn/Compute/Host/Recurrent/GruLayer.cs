namespace GpuSpectralRnn.Compute.Host;

/// <summary>A GRU layer's steps.</summary>
internal sealed unsafe class GruLayer : HostCell
{
    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        nint width = pass.Shape.GateRows;
        int t = pass.StepAt(number);
        float* a = own.GatesAt(t, part.From); // [rows, 3H]
        float* product = own.ProductsAt(t, part.From); // [rows, 3H]
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From, pass.Output, pass.InitialHidden); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.Multiply(part, before, hidden, product, width, own.HiddenBias, 0);
        for (nint row = 0; row < part.Rows; row++)
        {
            float* start = before == null ? own.Zeros : before + row * hidden;
            float* sums = product + row * width;
            for (int gate = 0; before == null && gate < 3; gate++)
            {
                int first = gate * hidden + part.FirstUnit, count = part.EndUnit - part.FirstUnit;
                new ReadOnlySpan<float>(own.HiddenBias + first, count).CopyTo(new Span<float>(sums + first, count));
            }

            GruPointwise.Forward(a + row * width, sums, hidden, start, h + row * hidden, part);
        }

        pass.HoldPadding(t, part.From, part.To, h, before);
    }

    /// <summary>Gates and products turn into gradients of the two parts of the pre-activations.</summary>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint width = pass.Shape.GateRows;
        float* carry = own.Carry + part.From * hidden; // [rows, H]
        if (number + 1 == steps) part.Clear(carry);
        else Carry(pass, own, number + 1, part);
        int t = pass.StepAt(number);
        float* a = own.GatesAt(t, part.From); // [rows, 3H]
        float* product = own.ProductsAt(t, part.From); // [rows, 3H]
        float* before = pass.Before(number, part.From, pass.Output, pass.InitialHidden); // [rows, H]
        float* given = back.Given(pass, number, part.From); // [rows, H]
        for (nint row = 0; row < part.Rows; row++)
        {
            nint at = row * hidden;
            if (pass.IsPadding(t, part.From + row))
            {
                new Span<float>(a + row * width, (int)width).Clear();
                new Span<float>(product + row * width, (int)width).Clear();
                continue;
            }

            float* start = before == null ? own.Zeros : before + at;
            float* direct = given == null ? null : given + at;
            GruPointwise.Backward body = new(a + row * width, product + row * width, hidden, start, direct, carry + at);
            Elementwise.Run(body, part.FirstUnit, part.EndUnit);
        }
    }

    /// <summary>Carry turns into the gradient of the initial state.</summary>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient != null) Carry(pass, own, 0, part);
    }

    // What a step hands on to the one before it.
    private static void Carry(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        float* carry = own.Carry + part.From * hidden;
        float* product = own.ProductsAt(pass.StepAt(number), part.From);
        own.Back!.Multiply(part.Units, part.Rows, product, pass.Shape.GateRows, carry, hidden, carry, hidden);
    }
}
