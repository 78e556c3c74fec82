using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What an LSTM does to one row of one step, element by element. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal static unsafe class LstmPointwise
{
    /// <summary>
    /// From pre-activations to gates, in place, and to states, of <paramref name="count"/> numbers: a in blocks i, f, g, o,
    /// <paramref name="gateStride"/> apart; before, c, h. One function after the other: in one loop they are more than the compiler inlines.
    /// </summary>
    public static void Forward(float* a, nint gateStride, float* before, float* c, float* h, nint count)
    {
        if (count == gateStride)
        {
            Elementwise.Run(new Activate<Logistic>(a, a), 0, 2 * count);
        }
        else
        {
            Elementwise.Run(new Activate<Logistic>(a, a), 0, count);
            Elementwise.Run(new Activate<Logistic>(a, a), gateStride, gateStride + count);
        }

        Elementwise.Run(new Activate<HyperbolicTangent>(a, a), 2 * gateStride, 2 * gateStride + count);
        Elementwise.Run(new Activate<Logistic>(a, a), 3 * gateStride, 3 * gateStride + count);
        Elementwise.Run(new States(a, gateStride, before, c, h), 0, count);
    }

    // From gates to states.
    private readonly struct States(float* a, nint gateStride, float* before, float* c, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector fresh = TSimd.Multiply(lanes.Load(at), lanes.Load(at + 2 * gateStride));
            TVector cell = TSimd.MultiplyAdd(lanes.Load(at + gateStride), lanes.Load(before + index), fresh);
            cell = SimdMath.Flush<TSimd, TVector>(cell);
            lanes.Store(cell, c + index);
            TVector state = TSimd.Multiply(lanes.Load(at + 3 * gateStride), SimdMath.Tanh<TSimd, TVector>(cell));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(state), h + index);
        }
    }

    /// <summary>
    /// From gates to gradients of pre-activations, in place: of some units of a [4H]. before, c: cell states before and after the step; given or null
    /// and carry: the two parts of dL/dh; dc: dL/dc from the step after, replaced by that for the step before; all [units].
    /// </summary>
    public readonly struct Backward(float* a, nint hidden, float* before, float* c, float* given, float* carry, float* dc) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector one = TSimd.Broadcast(1);
            TVector input = lanes.Load(at);
            TVector forget = lanes.Load(at + hidden);
            TVector fresh = lanes.Load(at + 2 * hidden);
            TVector output = lanes.Load(at + 3 * hidden);
            TVector d = lanes.Load(carry + index);
            if (given != null) d = TSimd.Add(d, lanes.Load(given + index));
            TVector squashed = SimdMath.Tanh<TSimd, TVector>(lanes.Load(c + index));
            TVector slope = TSimd.Subtract(one, TSimd.Multiply(squashed, squashed));
            TVector dCell = TSimd.MultiplyAdd(TSimd.Multiply(d, output), slope, lanes.Load(dc + index));
            TVector dInput = TSimd.Multiply(TSimd.Multiply(dCell, fresh), Slope<TSimd, TVector>(input));
            TVector dForget = TSimd.Multiply(TSimd.Multiply(dCell, lanes.Load(before + index)), Slope<TSimd, TVector>(forget));
            TVector dFresh = TSimd.Multiply(TSimd.Multiply(dCell, input), TSimd.Subtract(one, TSimd.Multiply(fresh, fresh)));
            TVector dOutput = TSimd.Multiply(TSimd.Multiply(d, squashed), Slope<TSimd, TVector>(output));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dInput), at);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dForget), at + hidden);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dFresh), at + 2 * hidden);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(dOutput), at + 3 * hidden);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(dCell, forget)), dc + index);
        }

        // Of the sigmoid, by its value.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Slope<TSimd, TVector>(TVector gate)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged => TSimd.Multiply(gate, TSimd.Subtract(TSimd.Broadcast(1), gate));
    }
}
