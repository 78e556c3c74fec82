using System.Numerics;
using System.Runtime.Intrinsics;
using GpuSpectralRnn.Compute.Host;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Host;

/// <summary>The errors that <see cref="SimdMath"/> states, against double precision, on every width; all widths give the same bits.</summary>
public unsafe class SimdMathTests
{
    [Fact]
    public void Exp_is_within_its_error() => Check(Exponential, Math.Exp, -87.3, 88, 2e-7);

    [Fact]
    public void Tanh_is_within_its_error()
    {
        Check(Tangent, Math.Tanh, -20, 20, 3e-7);
        Check(Tangent, Math.Tanh, -0.7, 0.7, 3e-7); // where e^2x - 1 would cancel
        Check(Tangent, Math.Tanh, 1e-30, 1e-3, 3e-7);
    }

    [Fact]
    public void Sigmoid_is_within_its_error()
    {
        Check(Logistic, x => 1 / (1 + Math.Exp(-x)), -68, 30, 3e-7);
        Assert.Equal([0f, 0, 0.5f, 1, 1], Logistic([float.NegativeInfinity, -80, 0, 80, float.PositiveInfinity]));
        Assert.True(float.IsNaN(Logistic([float.NaN])[0]));
    }

    [Fact]
    public void Ends_of_the_range_are_calm()
    {
        Assert.Equal([0f, 0, 1], Exponential([float.NegativeInfinity, -88, 0]));
        Assert.Equal(MathF.Exp(88), Exponential([1000])[0], MathF.Exp(88) * 2e-7f);
        Assert.Equal([-1f, -1, 0, 1, 1], Tangent([float.NegativeInfinity, -50, 0, 50, float.PositiveInfinity]));
        Assert.True(float.IsNaN(Exponential([float.NaN])[0]));
        Assert.True(float.IsNaN(Tangent([float.NaN])[0]));
    }

    [Fact]
    public void Flush_keeps_what_is_not_tiny()
    {
        Assert.Equal([0f, 1e-30f, -1e-30f, 0, 5], Apply(new Flush(), [9e-31f, 1e-30f, -1e-30f, -1e-44f, 5]));
        Assert.True(float.IsNaN(Apply(new Flush(), [float.NaN])[0]));
    }

    private static float[] Exponential(float[] x) => Apply(new Exp(), x);

    private static float[] Tangent(float[] x) => Apply(new Tanh(), x);

    private static float[] Logistic(float[] x) => Apply(new Sigmoid(), x);

    private static void Check(Func<float[], float[]> function, Func<double, double> exact, double low, double high, double bound)
    {
        const int Count = 200_001;
        float[] x = [.. Enumerable.Range(0, Count).Select(i => (float)(low + (high - low) * i / (Count - 1)))];
        float[] y = function(x);
        for (int i = 0; i < Count; i++)
        {
            double reference = exact(x[i]);
            Assert.True(Math.Abs(y[i] - reference) <= bound * Math.Abs(reference), $"f({x[i]:g9}) = {y[i]:g9}, exactly {reference:g9}");
        }
    }

    private static float[] Apply<TFunction>(TFunction function, float[] x)
        where TFunction : struct, IFunction
    {
        float[] one = Map<TFunction, SimdOne, float>(function, x);
        Assert.Equal(one, Map<TFunction, SimdVectorT, Vector<float>>(function, x));
        Assert.Equal(one, Map<TFunction, Simd512, Vector512<float>>(function, x));
        return one;
    }

    private static float[] Map<TFunction, TSimd, TVector>(TFunction function, float[] x)
        where TFunction : struct, IFunction
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        int padded = (x.Length + TSimd.Count - 1) / TSimd.Count * TSimd.Count;
        float[] result = new float[padded];
        x.CopyTo(result, 0);
        fixed (float* p = result)
        {
            for (int i = 0; i < padded; i += TSimd.Count) TSimd.Store(function.Of<TSimd, TVector>(TSimd.Load(p + i)), p + i);
        }

        return result[..x.Length];
    }

    private interface IFunction
    {
        TVector Of<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged;
    }

    private readonly struct Exp : IFunction
    {
        public TVector Of<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged => SimdMath.Exp<TSimd, TVector>(x);
    }

    private readonly struct Tanh : IFunction
    {
        public TVector Of<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged => SimdMath.Tanh<TSimd, TVector>(x);
    }

    private readonly struct Sigmoid : IFunction
    {
        public TVector Of<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged => SimdMath.Sigmoid<TSimd, TVector>(x);
    }

    private readonly struct Flush : IFunction
    {
        public TVector Of<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged => SimdMath.Flush<TSimd, TVector>(x);
    }
}
