namespace GpuSpectralRnn.Compute.Host;

/// <summary>A GRU layer's steps for some rows of the batch.</summary>
internal sealed unsafe class GruLayer : HostCell
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
            float* a = own.GatesAt(t, from); // [rows, 3H]
            float* product = own.ProductsAt(t, from); // [rows, 3H]
            float* h = pass.Row(pass.Output, t, from); // [rows, H]
            float* before = pass.Before(number, from, pass.Output, pass.InitialHidden); // [rows, H]
            MultiplyInputs(pass, own, number, from, to);
            if (before != null) own.Hidden.Multiply(rows, before, hidden, product, width, own.HiddenBias, 0);
            for (nint row = 0; row < rows; row++)
            {
                float* start = before == null ? own.Zeros : before + row * hidden;
                float* sums = product + row * width;
                if (before == null) new ReadOnlySpan<float>(own.HiddenBias, (int)width).CopyTo(new Span<float>(sums, (int)width));
                GruPointwise.Forward(a + row * width, sums, hidden, start, h + row * hidden);
            }

            pass.HoldPadding(t, from, to, h, before);
        }

        pass.Finish(from, to, pass.Output, pass.FinalHidden);
        pass.FillPadding(pass.Output, from, to, null);
    }

    /// <summary>
    /// Goes back over all steps of rows from..to: gates and products turn into gradients of the two parts of the pre-activations, carry into that of
    /// the initial state.
    /// </summary>
    public override void Backward(RecurrentPass pass, HostRecurrentWorkspace own, float* outputGradient, int gradientFrom, float* initialGradient, long from, long to)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint rows = (nint)(to - from);
        nint width = pass.Shape.GateRows;
        float* carry = own.Carry + from * hidden; // [rows, H]
        new Span<float>(carry, checked((int)(rows * hidden))).Clear();
        for (int number = steps - 1; number >= 0; number--)
        {
            int t = pass.StepAt(number);
            float* a = own.GatesAt(t, from); // [rows, 3H]
            float* product = own.ProductsAt(t, from); // [rows, 3H]
            float* before = pass.Before(number, from, pass.Output, pass.InitialHidden); // [rows, H]
            float* given = number < gradientFrom ? null : pass.Row(outputGradient, t, from); // [rows, H]
            for (nint row = 0; row < rows; row++)
            {
                nint at = row * hidden;
                if (pass.IsPadding(t, from + row))
                {
                    new Span<float>(a + row * width, (int)width).Clear();
                    new Span<float>(product + row * width, (int)width).Clear();
                    continue;
                }

                float* start = before == null ? own.Zeros : before + at;
                float* direct = given == null ? null : given + at;
                Elementwise.Run(new GruPointwise.Backward(a + row * width, product + row * width, hidden, start, direct, carry + at), 0, hidden);
            }

            if (number == 0 && initialGradient == null) return;
            own.Back!.Multiply(rows, product, width, carry, hidden, carry, hidden);
        }
    }
}
