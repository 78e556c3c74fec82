namespace GpuSpectralRnn.Tests.Support;

/// <summary>Numerical gradients in double precision.</summary>
public static class FiniteDifferences
{
    // Central differences err by step^2 f''' / 6 + 1e-16 |f| / step: about 1e-10 at 1e-5.
    private const double Step = 1e-5;

    /// <summary>df/dx at <paramref name="x"/>, which is changed during the call and restored.</summary>
    public static double[] Gradient(Func<double> f, double[] x)
    {
        double[] gradient = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            double at = x[i];
            x[i] = at + Step;
            double above = f();
            x[i] = at - Step;
            double below = f();
            x[i] = at;
            gradient[i] = (above - below) / (2 * Step);
        }

        return gradient;
    }
}
