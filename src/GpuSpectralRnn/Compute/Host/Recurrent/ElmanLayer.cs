namespace GpuSpectralRnn.Compute.Host;

/// <summary>An Elman layer's steps; the nonlinearity is left open.</summary>
internal abstract unsafe class ElmanLayer : HostCell
{
    /// <summary>From pre-activations a to states h.</summary>
    protected abstract void Activate(float* a, float* h, nint count);

    /// <summary>From the gradients of the states h, given, to those of the pre-activations, d; they may be one array.</summary>
    protected abstract void GoBack(float* given, float* h, float* d, nint count);

    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        int t = pass.StepAt(number);
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        float* a = own.Sums(t, part);
        nint rowStride = own.RowStride(part);
        if (before != null) own.Hidden.AddProduct(part, before, hidden, a, 0);
        for (nint i = 0; i < part.Stretches; i++) Activate(a + i * rowStride, h + part.FirstUnit + i * hidden, part.StretchLength);
        pass.HoldPadding(t, part, h, before);
    }

    /// <summary>The gradient of the states turns into that of the pre-activations, delta [T, B, H].</summary>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        int t = pass.StepAt(number);
        int units = part.UnitCount;
        float* given = back.Given(pass, number, part.From); // [rows, H]
        float* carry = own.Carry(part); // [rows, units]
        if (number + 1 < steps)
        {
            float* behind = pass.Row(back.OutputGradient, pass.StepAt(number + 1), part.From);
            own.Back(part).Multiply(part.Rows, behind, hidden, carry, units, given == null ? null : given + part.FirstUnit, hidden);
        }
        else
        {
            part.Gather(given, carry);
        }

        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* d = pass.Row(back.OutputGradient, t, part.From); // [rows, H]
        for (nint i = 0, at = part.FirstUnit; i < part.Stretches; i++, at += hidden) GoBack(carry + i * units, h + at, d + at, part.StretchLength);
        pass.HoldPadding(t, part, d, null);
    }

    /// <inheritdoc/>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient == null) return;
        int hidden = pass.Shape.Hidden;
        for (long row = part.From; row < part.To; row++)
        {
            float* first = pass.Row(back.OutputGradient, pass.FirstStep(row), row);
            own.Back(part).Multiply(1, first, hidden, back.InitialGradient + row * hidden + part.FirstUnit, hidden, null, 0);
        }
    }
}

/// <summary>Elman with tanh.</summary>
internal sealed unsafe class TanhLayer : ElmanLayer
{
    /// <inheritdoc/>
    protected override void Activate(float* a, float* h, nint count) => Elementwise.Run(new ElmanPointwise.TanhForward(a, h), 0, count);

    /// <inheritdoc/>
    protected override void GoBack(float* given, float* h, float* d, nint count) => Elementwise.Run(new ElmanPointwise.TanhBackward(given, h, d), 0, count);
}

/// <summary>Elman with ReLU.</summary>
internal sealed unsafe class ReluLayer : ElmanLayer
{
    /// <inheritdoc/>
    protected override void Activate(float* a, float* h, nint count) => Elementwise.Run(new ElmanPointwise.ReluForward(a, h), 0, count);

    /// <inheritdoc/>
    protected override void GoBack(float* given, float* h, float* d, nint count) => Elementwise.Run(new ElmanPointwise.ReluBackward(given, h, d), 0, count);
}
