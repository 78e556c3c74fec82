using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What an LSTM does to one row of one step, element by element. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal static unsafe class LstmPointwise
{
    /// <summary>
    /// From pre-activations to gates, in place, and to states: a [4H] in blocks i, f, g, o; before, c, h [H].
    /// </summary>
    public readonly struct Forward(float* a, nint hidden, float* before, float* c, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector input = SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(at));
            TVector forget = SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(at + hidden));
            TVector fresh = SimdMath.Tanh<TSimd, TVector>(lanes.Load(at + 2 * hidden));
            TVector output = SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(at + 3 * hidden));
            TVector cell = TSimd.MultiplyAdd(forget, lanes.Load(before + index), TSimd.Multiply(input, fresh));
            cell = SimdMath.Flush<TSimd, TVector>(cell);
            lanes.Store(input, at);
            lanes.Store(forget, at + hidden);
            lanes.Store(fresh, at + 2 * hidden);
            lanes.Store(output, at + 3 * hidden);
            lanes.Store(cell, c + index);
            TVector state = TSimd.Multiply(output, SimdMath.Tanh<TSimd, TVector>(cell));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(state), h + index);
        }
    }

    /// <summary>
    /// From gates to gradients of pre-activations, in place. before, c [H]: cell states before and after the step; given [H] or null and carry [H]:
    /// the two parts of dL/dh; dc [H]: dL/dc from the step after, replaced by that for the step before.
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
