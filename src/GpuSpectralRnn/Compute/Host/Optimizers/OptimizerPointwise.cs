using System.Runtime.CompilerServices;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The optimisers' rules on one vector of parameters p, gradients g and states, each in one pass. States below <see cref="Simd.Tiny"/> become zero,
/// because those of units without gradient would decay into denormals.
/// </summary>
internal static unsafe class OptimizerPointwise
{
    /// <summary>p *= mask.</summary>
    public readonly struct Mask(float* p, float* mask) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Multiply(lanes.Load(p + index), lanes.Load(mask + index)), p + index);
    }

    /// <summary>p -= rate (g + decay p).</summary>
    public readonly struct Sgd(float* p, float* g, SgdNumbers numbers) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector parameter = lanes.Load(p + index);
            TVector slope = TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Decay), parameter, lanes.Load(g + index));
            lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(-numbers.Rate), slope, parameter), p + index);
        }
    }

    /// <summary>v = momentum v + g + decay p; p -= rate v.</summary>
    public readonly struct Momentum(float* p, float* g, float* v, MomentumNumbers numbers) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector parameter = lanes.Load(p + index);
            TVector slope = TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Decay), parameter, lanes.Load(g + index));
            TVector velocity = SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Momentum), lanes.Load(v + index), slope));
            lanes.Store(velocity, v + index);
            lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(-numbers.Rate), velocity, parameter), p + index);
        }
    }

    /// <summary>s = alpha s + (1 - alpha) g^2; p -= rate g / (sqrt(s) + epsilon), g with decay p added.</summary>
    public readonly struct RmsProp(float* p, float* g, float* s, RmsPropNumbers numbers) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector parameter = lanes.Load(p + index);
            TVector slope = TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Decay), parameter, lanes.Load(g + index));
            TVector fresh = TSimd.Multiply(TSimd.Broadcast(1 - numbers.Alpha), TSimd.Multiply(slope, slope));
            TVector square = SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Alpha), lanes.Load(s + index), fresh));
            lanes.Store(square, s + index);
            TVector step = TSimd.Divide(slope, TSimd.Add(TSimd.Sqrt(square), TSimd.Broadcast(numbers.Epsilon)));
            lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(-numbers.Rate), step, parameter), p + index);
        }
    }

    /// <summary>
    /// Adadelta: s = rho s + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(s + epsilon) g; u = rho u + (1 - rho) d^2; p -= rate d, g with decay p
    /// added.
    /// </summary>
    public readonly struct Adadelta(float* p, float* g, float* s, float* u, AdadeltaNumbers numbers) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector parameter = lanes.Load(p + index), rho = TSimd.Broadcast(numbers.Rho), rest = TSimd.Broadcast(1 - numbers.Rho);
            TVector epsilon = TSimd.Broadcast(numbers.Epsilon), before = lanes.Load(u + index);
            TVector slope = TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Decay), parameter, lanes.Load(g + index));
            TVector square = TSimd.MultiplyAdd(rho, lanes.Load(s + index), TSimd.Multiply(rest, TSimd.Multiply(slope, slope)));
            square = SimdMath.Flush<TSimd, TVector>(square);
            TVector ratio = TSimd.Divide(TSimd.Sqrt(TSimd.Add(before, epsilon)), TSimd.Sqrt(TSimd.Add(square, epsilon)));
            TVector change = TSimd.Multiply(ratio, slope);
            lanes.Store(square, s + index);
            TVector changes = TSimd.MultiplyAdd(rho, before, TSimd.Multiply(rest, TSimd.Multiply(change, change)));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(changes), u + index);
            lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(-numbers.Rate), change, parameter), p + index);
        }
    }

    /// <summary>Adam: p = shrink p - rate m / (correction sqrt(v) + epsilon).</summary>
    public readonly struct Adam(float* p, float* g, float* m, float* v, AdamNumbers numbers) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector parameter = lanes.Load(p + index);
            TVector slope = TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Decay), parameter, lanes.Load(g + index));
            TVector first = TSimd.MultiplyAdd(
                TSimd.Broadcast(numbers.Beta1), lanes.Load(m + index), TSimd.Multiply(TSimd.Broadcast(1 - numbers.Beta1), slope));
            first = SimdMath.Flush<TSimd, TVector>(first);
            TVector fresh = TSimd.Multiply(TSimd.Broadcast(1 - numbers.Beta2), TSimd.Multiply(slope, slope));
            TVector second = SimdMath.Flush<TSimd, TVector>(TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Beta2), lanes.Load(v + index), fresh));
            lanes.Store(first, m + index);
            lanes.Store(second, v + index);
            TVector divisor = TSimd.MultiplyAdd(TSimd.Sqrt(second), TSimd.Broadcast(numbers.Correction), TSimd.Broadcast(numbers.Epsilon));
            TVector step = TSimd.Divide(TSimd.Multiply(TSimd.Broadcast(-numbers.Rate), first), divisor);
            lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(numbers.Shrink), parameter, step), p + index);
        }
    }
}
