using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>Ridge weights tau, one per unit: what I_tau adds to the diagonal of the kept units' Gram matrix (docs/method.md, section 2.3).</summary>
public static class Ridge
{
    /// <summary>The share of Tr S / m that served well: 1e-4, for gated cells 1e-3 (docs/method.md, section 2.3).</summary>
    public static double Default(Cell cell) => cell.Spec().DefaultRidge;

    /// <summary>
    /// tau_j = ridge Tr S / m for every unit. A Gram matrix of zeros (a layer that is dead on the calibration set) has no scale: any positive
    /// ridge then gives the reconstruction 0, so tau is 1, provided that a ridge was asked for.
    /// </summary>
    /// <param name="gram">S [m, m].</param>
    /// <param name="ridge">Zero or more; 1e-4 is a good start.</param>
    /// <exception cref="InvalidCallException">The ridge is negative or not finite.</exception>
    public static double[] Uniform(Matrix gram, double ridge)
    {
        if (!(ridge >= 0) || double.IsInfinity(ridge))
            throw new InvalidCallException($"`ridge` {ridge} is not a number of zero or more; try 1e-4.");
        double mean = gram.Trace() / gram.Rows;
        double[] weights = new double[gram.Rows];
        Array.Fill(weights, mean > 0 || ridge == 0 ? ridge * mean : 1);
        return weights;
    }
}
