using System.Numerics;
using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Numerics;

/// <summary>Inner products and linear combinations of vectors.</summary>
internal static class VectorOps
{
    /// <summary>x . y.</summary>
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ReadOnlySpan<Vector<double>> wideX = MemoryMarshal.Cast<double, Vector<double>>(x), wideY = MemoryMarshal.Cast<double, Vector<double>>(y);
        Vector<double> even = default, odd = default;
        int i = 0;
        for (; i < wideX.Length - 1; i += 2)
        {
            even = Vector.MultiplyAddEstimate(wideX[i], wideY[i], even);
            odd = Vector.MultiplyAddEstimate(wideX[i + 1], wideY[i + 1], odd);
        }

        double sum = Vector.Sum(even + odd);
        for (i *= Vector<double>.Count; i < x.Length; i++) sum += x[i] * y[i];
        return sum;
    }

    /// <summary>y += factor x.</summary>
    public static void AddScaled(double factor, ReadOnlySpan<double> x, Span<double> y)
    {
        ReadOnlySpan<Vector<double>> wideX = MemoryMarshal.Cast<double, Vector<double>>(x);
        Span<Vector<double>> wideY = MemoryMarshal.Cast<double, Vector<double>>(y);
        Vector<double> factors = new(factor);
        for (int i = 0; i < wideX.Length; i++) wideY[i] = Vector.MultiplyAddEstimate(factors, wideX[i], wideY[i]);
        for (int i = wideX.Length * Vector<double>.Count; i < x.Length; i++) y[i] += factor * x[i];
    }
}
