using System.Runtime.CompilerServices;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Extending;

/// <summary>s(x) = x / (1 + |x|), for devices.</summary>
public readonly struct Softsign : IActivation
{
    public float Apply(float x) => x / (1f + MathF.Abs(x));

    public float Slope(float h) => (1f - MathF.Abs(h)) * (1f - MathF.Abs(h));
}

/// <summary>Elman with softsign, on the processor.</summary>
internal sealed unsafe class SoftsignLayer : ElmanLayer
{
    protected override void Activate(float* a, float* h, nint count) => Elementwise.Run(new SoftsignForward(a, h), 0, count);

    protected override void GoBack(float* given, float* h, float* d, nint count) => Elementwise.Run(new SoftsignBackward(given, h, d), 0, count);

    internal readonly struct SoftsignForward(float* a, float* h) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector x = lanes.Load(a + index);
            lanes.Store(TSimd.Divide(x, TSimd.Add(TSimd.Broadcast(1), TSimd.Abs(x))), h + index);
        }
    }

    internal readonly struct SoftsignBackward(float* given, float* h, float* d) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            TVector rest = TSimd.Subtract(TSimd.Broadcast(1), TSimd.Abs(lanes.Load(h + index)));
            lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(lanes.Load(given + index), TSimd.Multiply(rest, rest))), d + index);
        }
    }
}

public class SoftsignTests
{
    [Fact]
    public void Its_line_in_the_table_is_complete()
    {
        // The kind is the new member of CellKind; here one that is there.
        const CellKind kind = CellKind.RnnTanh;
        CellSpec line =
            new(kind, new SoftsignLayer(), RecurrentCell.StepwiseElman<Softsign>)
            {
                DefaultRidge = 1e-4,
                Persistent = (loader, tiles) => RecurrentCell.PersistentElman<Softsign>(loader, tiles.Forward),
                Onnx = new("RNN", [0], ["Softsign"]),
            };

        Assert.Equal(1, line.Gates);
    }

    [Fact]
    public unsafe void Processor_and_devices_agree_and_go_back_rightly()
    {
        float[] x = [.. Enumerable.Range(0, 443).Select(i => (i - 221) / 40f)];
        float[] h = [.. x], d = [.. Enumerable.Repeat(1f, x.Length)];
        fixed (float* states = h, gradients = d)
        {
            Elementwise.Run(new SoftsignLayer.SoftsignForward(states, states), 0, h.Length);
            Elementwise.Run(new SoftsignLayer.SoftsignBackward(gradients, states, gradients), 0, h.Length);
        }

        for (int i = 0; i < x.Length; i++)
        {
            double[] at = [x[i]];
            Assert.Equal(at[0] / (1 + Math.Abs(at[0])), h[i], 1e-6);
            Assert.Equal(FiniteDifferences.Gradient(() => at[0] / (1 + Math.Abs(at[0])), at)[0], d[i], 1e-5);
            Assert.Equal(default(Softsign).Apply(x[i]), h[i], 1e-6);
            Assert.Equal(default(Softsign).Slope(h[i]), d[i], 1e-6);
        }
    }
}
