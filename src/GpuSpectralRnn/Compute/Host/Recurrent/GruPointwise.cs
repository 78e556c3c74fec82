using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What a GRU does to one row of one step, element by element. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal static unsafe class GruPointwise
{
    /// <summary>
    /// From the inputs' part of the pre-activations to gates, in place, and to states, of <paramref name="count"/> numbers: a in blocks r, z, n,
    /// <paramref name="gateStride"/> apart; product: the recurrent part in the same way; before, h.
    /// </summary>
    public static void Forward(float* a, nint gateStride, float* product, nint productStride, float* before, float* h, nint count)
    {
        if (count == gateStride && count == productStride)
        {
            Elementwise.Run(new Gates(a, product), 0, 2 * count);
        }
        else
        {
            Elementwise.Run(new Gates(a, product), 0, count);
            Elementwise.Run(new Gates(a + gateStride, product + productStride), 0, count);
        }

        Elementwise.Run(new States(a, gateStride, product + 2 * productStride, before, h), 0, count);
    }

    // r and z.
    private readonly struct Gates(float* a, float* product) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector> =>
            lanes.Store(SimdMath.Sigmoid<TSimd, TVector>(TSimd.Add(lanes.Load(a + index), lanes.Load(product + index))), a + index);
    }

    // n and h.
    private readonly struct States(float* a, nint gateStride, float* product, float* before, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            TVector sum = TSimd.MultiplyAdd(lanes.Load(at), lanes.Load(product + index), lanes.Load(at + 2 * gateStride));
            TVector fresh = SimdMath.Tanh<TSimd, TVector>(sum);
            TVector difference = TSimd.Subtract(lanes.Load(before + index), fresh);
            lanes.Store(fresh, at + 2 * gateStride);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(lanes.Load(at + gateStride), difference, fresh)), h + index);
        }
    }

    /// <summary>
    /// From gates to gradients of the inputs' part, in place, and of the recurrent part: of some units of a and product [3H]. Block n of product holds
    /// W_hn h + b_hn. given or null and carry [units]: the two parts of dL/dh; carry receives what goes straight to the step before.
    /// </summary>
    public readonly struct Backward(float* a, float* product, nint hidden, float* before, float* given, float* carry) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            float* at = a + index;
            float* to = product + index;
            TVector one = TSimd.Broadcast(1);
            TVector reset = lanes.Load(at);
            TVector update = lanes.Load(at + hidden);
            TVector fresh = lanes.Load(at + 2 * hidden);
            TVector d = lanes.Load(carry + index);
            if (given != null) d = TSimd.Add(d, lanes.Load(given + index));
            TVector rest = TSimd.Subtract(one, update);
            TVector dFresh = TSimd.Multiply(TSimd.Multiply(d, rest), TSimd.Subtract(one, TSimd.Multiply(fresh, fresh)));
            dFresh = SimdMath.Flush<TSimd, TVector>(dFresh);
            TVector resetSlope = TSimd.Multiply(reset, TSimd.Subtract(one, reset));
            TVector dReset = TSimd.Multiply(TSimd.Multiply(dFresh, lanes.Load(to + 2 * hidden)), resetSlope);
            dReset = SimdMath.Flush<TSimd, TVector>(dReset);
            TVector difference = TSimd.Subtract(lanes.Load(before + index), fresh);
            TVector dUpdate = TSimd.Multiply(TSimd.Multiply(d, difference), TSimd.Multiply(update, rest));
            dUpdate = SimdMath.Flush<TSimd, TVector>(dUpdate);
            lanes.Store(dReset, at);
            lanes.Store(dUpdate, at + hidden);
            lanes.Store(dFresh, at + 2 * hidden);
            lanes.Store(dReset, to);
            lanes.Store(dUpdate, to + hidden);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(dFresh, reset)), to + 2 * hidden);
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(d, update)), carry + index);
        }
    }
}
