using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What an Elman cell does to one step's numbers, element by element. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal static unsafe class ElmanPointwise
{
    /// <summary>h = tanh(a), from pre-activations to states.</summary>
    public readonly struct TanhForward(float* a, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector> =>
            lanes.Store(SimdMath.Flush<TSimd, TVector>(SimdMath.Tanh<TSimd, TVector>(lanes.Load(a + index))), h + index);
    }

    /// <summary>h = max(a, 0), from pre-activations to states; NaN stays.</summary>
    public readonly struct ReluForward(float* a, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector x = lanes.Load(a + index);
            lanes.Store(TSimd.WhereLess(x, TSimd.Broadcast(Simd.Tiny), TSimd.Broadcast(0), x), h + index);
        }
    }

    /// <summary>d = given (1 - h^2), from gradients of states to gradients of pre-activations.</summary>
    public readonly struct TanhBackward(float* given, float* h, float* d) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector state = lanes.Load(h + index);
            TVector slope = TSimd.Subtract(TSimd.Broadcast(1), TSimd.Multiply(state, state));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(lanes.Load(given + index), slope)), d + index);
        }
    }

    /// <summary>d = h > 0 ? given : 0.</summary>
    public readonly struct ReluBackward(float* given, float* h, float* d) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector zero = TSimd.Broadcast(0);
            TVector gradient = SimdMath.Flush<TSimd, TVector>(lanes.Load(given + index));
            lanes.Store(TSimd.WhereLess(zero, lanes.Load(h + index), gradient, zero), d + index);
        }
    }
}
