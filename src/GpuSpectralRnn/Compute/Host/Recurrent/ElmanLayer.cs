namespace GpuSpectralRnn.Compute.Host;

/// <summary>An Elman layer's steps for some rows of the batch; the nonlinearity is left open.</summary>
internal abstract unsafe class ElmanLayer : HostCell
{
    /// <summary>h turns from pre-activations into states, in place.</summary>
    protected abstract void Activate(float* h, nint count);

    /// <summary>d turns from gradients of the states h into gradients of the pre-activations, in place.</summary>
    protected abstract void GoBack(float* d, float* h, nint count);

    /// <inheritdoc/>
    public override void Forward(RecurrentPass pass, HostRecurrentWorkspace own, long from, long to)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint rows = (nint)(to - from);
        for (int number = 0; number < steps; number++)
        {
            int t = pass.StepAt(number);
            float* h = pass.Row(pass.Output, t, from); // [rows, H]
            float* before = pass.Before(number, from, pass.Output, pass.InitialHidden); // [rows, H]
            MultiplyInputs(pass, own, number, from, to);
            if (before != null) own.Hidden.Multiply(rows, before, hidden, h, hidden, h, hidden);
            Activate(h, rows * hidden);
            pass.HoldPadding(t, from, to, h, before);
        }

        pass.Finish(from, to, pass.Output, pass.FinalHidden);
        pass.FillPadding(pass.Output, from, to, null);
    }

    /// <summary>Goes back over all steps of rows from..to: delta [T, B, H] turns from gradients of states to gradients of pre-activations.</summary>
    public override void Backward(RecurrentPass pass, HostRecurrentWorkspace own, float* delta, int gradientFrom, float* initialGradient, long from, long to)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint rows = (nint)(to - from);
        for (int number = steps - 1; number >= 0; number--)
        {
            int t = pass.StepAt(number);
            float* d = pass.Row(delta, t, from); // [rows, H]
            float* h = pass.Row(pass.Output, t, from); // [rows, H]
            float* given = number < gradientFrom ? null : d;
            if (number + 1 < steps)
                own.Back!.Multiply(rows, pass.Row(delta, pass.StepAt(number + 1), from), hidden, d, hidden, given, hidden);
            GoBack(d, h, rows * hidden);
            pass.HoldPadding(t, from, to, d, null);
        }

        if (initialGradient == null) return;
        for (long row = from; row < to; row++)
        {
            float* first = pass.Row(delta, pass.FirstStep(row), row);
            own.Back!.Multiply(1, first, hidden, initialGradient + row * hidden, hidden, null, 0);
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
