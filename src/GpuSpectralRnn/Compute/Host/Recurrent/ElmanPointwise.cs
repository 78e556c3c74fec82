using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What an Elman cell does to one step's numbers, element by element. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal static unsafe class ElmanPointwise
{
    /// <summary>h = tanh(h), from pre-activations to states, in place.</summary>
    public readonly struct TanhForward(float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector> =>
            lanes.Store(SimdMath.Flush<TSimd, TVector>(SimdMath.Tanh<TSimd, TVector>(lanes.Load(h + index))), h + index);
    }

    /// <summary>h = max(h, 0), from pre-activations to states, in place; NaN stays.</summary>
    public readonly struct ReluForward(float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector a = lanes.Load(h + index);
            lanes.Store(TSimd.WhereLess(a, TSimd.Broadcast(Simd.Tiny), TSimd.Broadcast(0), a), h + index);
        }
    }

    /// <summary>d = d (1 - h^2), from gradients of states to gradients of pre-activations, in place.</summary>
    public readonly struct TanhBackward(float* d, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector state = lanes.Load(h + index);
            TVector slope = TSimd.Subtract(TSimd.Broadcast(1), TSimd.Multiply(state, state));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(lanes.Load(d + index), slope)), d + index);
        }
    }

    /// <summary>d = h > 0 ? d : 0, in place.</summary>
    public readonly struct ReluBackward(float* d, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector zero = TSimd.Broadcast(0);
            TVector gradient = SimdMath.Flush<TSimd, TVector>(lanes.Load(d + index));
            lanes.Store(TSimd.WhereLess(zero, lanes.Load(h + index), gradient, zero), d + index);
        }
    }
}
