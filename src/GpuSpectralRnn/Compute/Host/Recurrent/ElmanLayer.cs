namespace GpuSpectralRnn.Compute.Host;

/// <summary>An Elman layer's steps; the nonlinearity is left open.</summary>
internal abstract unsafe class ElmanLayer : HostCell
{
    /// <summary>h turns from pre-activations into states, in place.</summary>
    protected abstract void Activate(float* h, nint count);

    /// <summary>d turns from gradients of the states h into gradients of the pre-activations, in place.</summary>
    protected abstract void GoBack(float* d, float* h, nint count);

    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        int t = pass.StepAt(number);
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From, pass.Output, pass.InitialHidden); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.Multiply(part, before, hidden, h, hidden, h, hidden);
        for (nint i = 0, at = part.FirstUnit; i < part.Stretches; i++, at += hidden) Activate(h + at, part.StretchLength);
        pass.HoldPadding(t, part.From, part.To, h, before);
    }

    /// <summary>The gradient of the states turns into that of the pre-activations, delta [T, B, H].</summary>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        int t = pass.StepAt(number);
        float* d = pass.Row(back.OutputGradient, t, part.From); // [rows, H]
        if (number + 1 < steps)
        {
            float* behind = pass.Row(back.OutputGradient, pass.StepAt(number + 1), part.From);
            own.Back!.Multiply(part.Units, part.Rows, behind, hidden, d, hidden, back.Given(pass, number, part.From), hidden);
        }

        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        for (nint i = 0, at = part.FirstUnit; i < part.Stretches; i++, at += hidden) GoBack(d + at, h + at, part.StretchLength);
        pass.HoldPadding(t, part.From, part.To, d, null);
    }

    /// <inheritdoc/>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient == null) return;
        int hidden = pass.Shape.Hidden;
        for (long row = part.From; row < part.To; row++)
        {
            float* first = pass.Row(back.OutputGradient, pass.FirstStep(row), row);
            own.Back!.Multiply(part.Units, 1, first, hidden, back.InitialGradient + row * hidden, hidden, null, 0);
        }
    }
}

/// <summary>Elman with tanh.</summary>
internal sealed unsafe class TanhLayer : ElmanLayer
{
    /// <inheritdoc/>
    protected override void Activate(float* h, nint count) => Elementwise.Run(new ElmanPointwise.TanhForward(h), 0, count);

    /// <inheritdoc/>
    protected override void GoBack(float* d, float* h, nint count) => Elementwise.Run(new ElmanPointwise.TanhBackward(d, h), 0, count);
}

/// <summary>Elman with ReLU.</summary>
internal sealed unsafe class ReluLayer : ElmanLayer
{
    /// <inheritdoc/>
    protected override void Activate(float* h, nint count) => Elementwise.Run(new ElmanPointwise.ReluForward(h), 0, count);

    /// <inheritdoc/>
    protected override void GoBack(float* d, float* h, nint count) => Elementwise.Run(new ElmanPointwise.ReluBackward(d, h), 0, count);
}
