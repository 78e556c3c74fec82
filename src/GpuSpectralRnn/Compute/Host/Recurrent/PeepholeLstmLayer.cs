using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>An LSTM layer whose gates see the cell state. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal sealed unsafe class PeepholeLstmLayer : LstmLayer
{
    /// <inheritdoc/>
    protected override void ForwardRows(
        HostRecurrentWorkspace own, StepPart part, nint rows, float* a, nint gateStride, float* before, float* c, float* h)
    {
        nint units = part.UnitCount;
        for (nint at = 0; at < rows * units; at += units)
            Elementwise.Run(new Ahead(a + at, gateStride, own.Peepholes + part.FirstUnit, part.Hidden, before + at, c + at, h + at), 0, units);
    }

    /// <inheritdoc/>
    protected override void BackwardRow(
        HostRecurrentWorkspace own, StepPart part, nint row, float* a, float* before, float* c, float* given, float* carry, float* dc)
    {
        int hidden = part.Hidden, first = part.FirstUnit;
        float* sums = own.PeepholeSums + (part.From + row) * 3 * hidden + first;
        Elementwise.Run(new Back(a, hidden, own.Peepholes + first, sums, before, c, given, carry, dc), 0, part.UnitCount);
    }

    // As LstmPointwise.Forward, with p [3H] in blocks i, f, o.
    private readonly struct Ahead(float* a, nint gateStride, float* p, nint hidden, float* before, float* c, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            float* from = p + index;
            TVector old = lanes.Load(before + index);
            TVector input = SimdMath.Sigmoid<TSimd, TVector>(TSimd.MultiplyAdd(lanes.Load(from), old, lanes.Load(at)));
            TVector forget = SimdMath.Sigmoid<TSimd, TVector>(TSimd.MultiplyAdd(lanes.Load(from + hidden), old, lanes.Load(at + gateStride)));
            TVector fresh = SimdMath.Tanh<TSimd, TVector>(lanes.Load(at + 2 * gateStride));
            TVector cell = SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(forget, old, TSimd.Multiply(input, fresh)));
            TVector output = SimdMath.Sigmoid<TSimd, TVector>(TSimd.MultiplyAdd(lanes.Load(from + 2 * hidden), cell, lanes.Load(at + 3 * gateStride)));
            lanes.Store(input, at);
            lanes.Store(forget, at + gateStride);
            lanes.Store(fresh, at + 2 * gateStride);
            lanes.Store(output, at + 3 * gateStride);
            lanes.Store(cell, c + index);
            TVector state = TSimd.Multiply(output, SimdMath.Tanh<TSimd, TVector>(cell));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(state), h + index);
        }
    }

    // As LstmPointwise.Backward; the gradients of p are added to sums [3H].
    private readonly struct Back(float* a, nint hidden, float* p, float* sums, float* before, float* c, float* given, float* carry, float* dc) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            float* from = p + index;
            float* sum = sums + index;
            TVector one = TSimd.Broadcast(1);
            TVector input = lanes.Load(at);
            TVector forget = lanes.Load(at + hidden);
            TVector fresh = lanes.Load(at + 2 * hidden);
            TVector output = lanes.Load(at + 3 * hidden);
            TVector old = lanes.Load(before + index);
            TVector cell = lanes.Load(c + index);
            TVector d = lanes.Load(carry + index);
            if (given != null) d = TSimd.Add(d, lanes.Load(given + index));
            TVector squashed = SimdMath.Tanh<TSimd, TVector>(cell);
            TVector slope = TSimd.Subtract(one, TSimd.Multiply(squashed, squashed));
            TVector dOutput = TSimd.Multiply(TSimd.Multiply(d, squashed), LstmPointwise.Backward.Slope<TSimd, TVector>(output));
            dOutput = SimdMath.Flush<TSimd, TVector>(dOutput);
            TVector dCell = TSimd.MultiplyAdd(TSimd.Multiply(d, output), slope, lanes.Load(dc + index));
            dCell = TSimd.MultiplyAdd(dOutput, lanes.Load(from + 2 * hidden), dCell);
            TVector dInput = TSimd.Multiply(TSimd.Multiply(dCell, fresh), LstmPointwise.Backward.Slope<TSimd, TVector>(input));
            TVector dForget = TSimd.Multiply(TSimd.Multiply(dCell, old), LstmPointwise.Backward.Slope<TSimd, TVector>(forget));
            TVector dFresh = TSimd.Multiply(TSimd.Multiply(dCell, input), TSimd.Subtract(one, TSimd.Multiply(fresh, fresh)));
            dInput = SimdMath.Flush<TSimd, TVector>(dInput);
            dForget = SimdMath.Flush<TSimd, TVector>(dForget);
            lanes.Store(dInput, at);
            lanes.Store(dForget, at + hidden);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dFresh), at + 2 * hidden);
            lanes.Store(dOutput, at + 3 * hidden);
            TVector back = TSimd.MultiplyAdd(dInput, lanes.Load(from), TSimd.Multiply(dCell, forget));
            back = TSimd.MultiplyAdd(dForget, lanes.Load(from + hidden), back);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(back), dc + index);
            lanes.Store(TSimd.MultiplyAdd(dInput, old, lanes.Load(sum)), sum);
            lanes.Store(TSimd.MultiplyAdd(dForget, old, lanes.Load(sum + hidden)), sum + hidden);
            lanes.Store(TSimd.MultiplyAdd(dOutput, cell, lanes.Load(sum + 2 * hidden)), sum + 2 * hidden);
        }
    }
}
