using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>The steps of a GRU that resets before the product. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal sealed unsafe class GruResetBeforeLayer : HostCell
{
    /// <summary>No: n of every unit needs r h of all.</summary>
    public override bool SharesUnits => false;

    /// <inheritdoc/>
    public override void Step(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        int t = pass.StepAt(number);
        float* a = own.Sums(t, part);
        nint gateStride = own.GateStride(part), rowStride = own.RowStride(part);
        float* reset = own.ResetsAt(t, part.From); // [rows, H]
        float* h = pass.Row(pass.Output, t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From); // [rows, H]
        MultiplyInputs(pass, own, number, part);
        if (before != null) own.Hidden.AddProduct(part, before, hidden, a, gateStride);
        for (nint row = 0; row < part.Rows; row++)
        {
            float* start = before == null ? own.Zeros : before + row * hidden;
            Elementwise.Run(new Gates(a + row * rowStride, gateStride, start, reset + row * hidden), 0, hidden);
        }

        float* fresh = a + 2 * gateStride;
        if (before != null) own.HiddenOfReset![0].Multiply(part.Rows, reset, hidden, fresh, rowStride, fresh, rowStride);
        for (nint row = 0; row < part.Rows; row++)
        {
            float* start = before == null ? own.Zeros : before + row * hidden;
            Elementwise.Run(new State(a + row * rowStride, gateStride, start, h + row * hidden), 0, hidden);
        }

        if (own.IsTraining) Keep(part, (0, part.Rows), 3, a, (gateStride, rowStride), own.Gates(t, part), pass.Shape.GateRows);
        pass.HoldPadding(t, part, h, before);
    }

    /// <inheritdoc/>
    public override void StepBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, int number, StepPart part)
    {
        (_, int steps, _, _, int hidden) = pass.Shape;
        nint width = pass.Shape.GateRows;
        float* carry = own.Carry(part); // [rows, H]
        float* resetGradient = own.CellCarry(part); // dL/d(r h) [rows, H]
        if (number + 1 == steps) part.Gather(null, carry);
        else Carry(pass, own, number + 1, part);
        int t = pass.StepAt(number);
        float* a = own.Gates(t, part); // [rows, 3H]
        float* fresh = own.FreshAt(t, part.From); // [rows, H]
        float* before = pass.Before(number, part.From); // [rows, H]
        float* given = back.Given(pass, number, part.From); // [rows, H]
        for (nint row = 0; row < part.Rows; row++)
        {
            nint at = row * hidden;
            if (pass.IsPadding(t, part.From + row))
            {
                new Span<float>(a + row * width, (int)width).Clear();
                new Span<float>(fresh + at, hidden).Clear();
                continue;
            }

            float* start = before == null ? own.Zeros : before + at;
            float* direct = given == null ? null : given + at;
            Elementwise.Run(new BackToFresh(a + row * width, hidden, start, direct, carry + at, fresh + at), 0, hidden);
        }

        own.BackOfReset![0].Multiply(part.Rows, fresh, hidden, resetGradient, hidden, null, 0);
        for (nint row = 0; row < part.Rows; row++)
        {
            if (pass.IsPadding(t, part.From + row)) continue;
            nint at = row * hidden;
            float* start = before == null ? own.Zeros : before + at;
            Elementwise.Run(new BackToReset(a + row * width, start, resetGradient + at, carry + at), 0, hidden);
        }
    }

    /// <inheritdoc/>
    public override void FinishBack(RecurrentPass pass, HostRecurrentWorkspace own, BackwardPass back, StepPart part)
    {
        if (back.InitialGradient == null) return;
        Carry(pass, own, 0, part);
        part.Scatter(own.Carry(part), back.InitialGradient + part.From * pass.Shape.Hidden);
    }

    // What a step hands on to the one before it, by r and z.
    private static void Carry(RecurrentPass pass, HostRecurrentWorkspace own, int number, StepPart part)
    {
        int hidden = pass.Shape.Hidden;
        float* carry = own.Carry(part);
        own.Back(part).Multiply(part.Rows, own.Gates(pass.StepAt(number), part), pass.Shape.GateRows, carry, hidden, carry, hidden);
    }

    // From pre-activations to r and z, in place: a in blocks r, z, n, gateStride apart; reset = r before, [H].
    private readonly struct Gates(float* a, nint gateStride, float* before, float* reset) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector r = SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(at));
            lanes.Store(r, at);
            lanes.Store(SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(at + gateStride)), at + gateStride);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(r, lanes.Load(before + index))), reset + index);
        }
    }

    // From n's pre-activation to n, in place, and to h [H].
    private readonly struct State(float* a, nint gateStride, float* before, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector fresh = SimdMath.Tanh<TSimd, TVector>(lanes.Load(at + 2 * gateStride));
            TVector difference = TSimd.Subtract(lanes.Load(before + index), fresh);
            lanes.Store(fresh, at + 2 * gateStride);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(lanes.Load(at + gateStride), difference, fresh)), h + index);
        }
    }

    // From z and n to their gradients, in place, that of n once more into gradient [H]. given [H] or null and carry [H]: the two parts of dL/dh; carry
    // receives what goes straight to the step before.
    private readonly struct BackToFresh(float* a, nint hidden, float* before, float* given, float* carry, float* gradient) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector one = TSimd.Broadcast(1);
            TVector update = lanes.Load(at + hidden);
            TVector fresh = lanes.Load(at + 2 * hidden);
            TVector d = lanes.Load(carry + index);
            if (given != null) d = TSimd.Add(d, lanes.Load(given + index));
            TVector rest = TSimd.Subtract(one, update);
            TVector dFresh = TSimd.Multiply(TSimd.Multiply(d, rest), TSimd.Subtract(one, TSimd.Multiply(fresh, fresh)));
            dFresh = SimdMath.Flush<TSimd, TVector>(dFresh);
            TVector difference = TSimd.Subtract(lanes.Load(before + index), fresh);
            TVector dUpdate = TSimd.Multiply(TSimd.Multiply(d, difference), TSimd.Multiply(update, rest));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dUpdate), at + hidden);
            lanes.Store(dFresh, at + 2 * hidden);
            lanes.Store(dFresh, gradient + index);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(d, update)), carry + index);
        }
    }

    // From r to its gradient, in place; d [H]: dL/d(r before), of which carry receives before's part.
    private readonly struct BackToReset(float* a, float* before, float* d, float* carry) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector reset = lanes.Load(a + index);
            TVector gradient = lanes.Load(d + index);
            TVector slope = TSimd.Multiply(reset, TSimd.Subtract(TSimd.Broadcast(1), reset));
            TVector dReset = TSimd.Multiply(TSimd.Multiply(gradient, lanes.Load(before + index)), slope);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dReset), a + index);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(gradient, reset, lanes.Load(carry + index))), carry + index);
        }
    }
}
