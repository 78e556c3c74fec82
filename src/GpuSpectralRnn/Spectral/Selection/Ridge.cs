using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>Ridge weights tau [m]: I_tau = diag(tau) is added to the Gram matrix of the kept units (docs/method.md, section 2.3).</summary>
public static class Ridge
{
    /// <summary>The default ridge relative to Tr S / m: 1e-4, for gated cells 1e-3 (measured, docs/method.md, section 2.3).</summary>
    public static double Default(Cell cell) => cell.Spec().DefaultRidge;

    /// <summary>The default ridge of an axis: that of its recurrence's cell, else of the network's first recurrence.</summary>
    public static double Default(Graph graph, PrunableAxis axis) =>
        Default((graph.Recurrence(axis.Axis) ?? graph.Nodes.Select(node => node.Module).OfType<Recurrent>().FirstOrDefault())?.Cell ?? Cell.RnnTanh);

    /// <summary>
    /// tau_j = ridge Tr S / m for every unit. For a Gram matrix of zeros (a layer that is dead on the calibration set) a positive ridge gives tau =
    /// 1: the reconstruction is 0 for any positive tau.
    /// </summary>
    /// <param name="gram">S [m, m].</param>
    /// <param name="ridge">Relative to Tr S / m, zero or more; 1e-4 is a good start.</param>
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
