using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What the attention does to whole rows [F], element by element.</summary>
internal static unsafe class AttentionRows
{
    /// <summary>y = a b + c.</summary>
    public readonly struct ProductSum(float* a, float* b, float* c, float* y) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector> =>
            lanes.Store(TSimd.MultiplyAdd(lanes.Load(a + index), lanes.Load(b + index), lanes.Load(c + index)), y + index);
    }

    /// <summary>y += sum_i w_i x_i, of rows x_i and their weights w_i, each so many numbers apart.</summary>
    public readonly struct WeightedSum(float* x, long stride, float* w, long apart, long rows, float* y) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector sum = lanes.Load(y + index);
            float* source = x + index;
            for (long i = 0; i < rows; i++, source += stride) sum = TSimd.MultiplyAdd(TSimd.Broadcast(w[i * apart]), lanes.Load(source), sum);
            lanes.Store(sum, y + index);
        }
    }

    /// <summary>G_t = [h ; v ; h * v ; h * c], of which v is there.</summary>
    public readonly struct Output(float* h, float* c, float* g, nint width) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector own = lanes.Load(h + index);
            lanes.Store(own, g + index);
            lanes.Store(TSimd.Multiply(own, lanes.Load(g + width + index)), g + 2 * width + index);
            lanes.Store(TSimd.Multiply(own, lanes.Load(c + index)), g + 3 * width + index);
        }
    }

    /// <summary>dL/du_j = (what is there) + w_hu * sums + w_u total.</summary>
    public readonly struct QuestionGradient(float* weights, float* sums, float total, float* gradient, nint width) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector sum = TSimd.MultiplyAdd(lanes.Load(weights + 2 * width + index), lanes.Load(sums + index), lanes.Load(gradient + index));
            lanes.Store(TSimd.MultiplyAdd(lanes.Load(weights + width + index), TSimd.Broadcast(total), sum), gradient + index);
        }
    }

    /// <summary>dL/dh_t = w_hu * (what is there) + g1 + g3 * v + g4 * c + share dL/dc + largest w_h.</summary>
    public readonly struct ContextGradient(
        float* weights, float* g, float* d, float* c, float* cGradient, float share, float largest, float* gradient, nint width) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector sum = TSimd.MultiplyAdd(lanes.Load(weights + 2 * width + index), lanes.Load(gradient + index), lanes.Load(d + index));
            sum = TSimd.MultiplyAdd(lanes.Load(d + 2 * width + index), lanes.Load(g + width + index), sum);
            sum = TSimd.MultiplyAdd(lanes.Load(d + 3 * width + index), lanes.Load(c + index), sum);
            sum = TSimd.MultiplyAdd(TSimd.Broadcast(share), lanes.Load(cGradient + index), sum);
            lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(largest), lanes.Load(weights + index), sum), gradient + index);
        }
    }
}
