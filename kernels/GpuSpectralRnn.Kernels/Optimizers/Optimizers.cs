using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>One step of an optimiser over a flat block of parameters; one pass, gradients are only read.</summary>
public sealed class Optimizers(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, OptimizerStep> sgd =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, OptimizerStep>>(Sgd);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, OptimizerStep> momentum =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, OptimizerStep>>(Momentum);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, OptimizerStep> rmsProp =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, OptimizerStep>>(RmsProp);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, OptimizerStep> adam =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, OptimizerStep>>(Adam);

    /// <summary>p -= rate (g + decay p).</summary>
    public void RunSgd(AcceleratorStream stream, ArrayView<float> parameters, ArrayView<float> gradients, OptimizerStep step)
    {
        if (step.Count > 0) sgd(stream, step.Width = loader.WidthFor(step.Count), parameters, gradients, step);
    }

    /// <summary>v = beta1 v + g + decay p; p -= rate v.</summary>
    public void RunMomentum(
        AcceleratorStream stream, ArrayView<float> parameters, ArrayView<float> gradients, ArrayView<float> velocity, OptimizerStep step)
    {
        if (step.Count > 0) momentum(stream, step.Width = loader.WidthFor(step.Count), parameters, gradients, velocity, step);
    }

    /// <summary>g += decay p; s = beta2 s + (1 - beta2) g^2; p -= rate g / (sqrt(s) + epsilon).</summary>
    public void RunRmsProp(
        AcceleratorStream stream, ArrayView<float> parameters, ArrayView<float> gradients, ArrayView<float> meanSquare, OptimizerStep step)
    {
        if (step.Count > 0) rmsProp(stream, step.Width = loader.WidthFor(step.Count), parameters, gradients, meanSquare, step);
    }

    /// <summary>g += decay p; m, v as moving averages; p = shrink p - rate m / (sqrt(v) correction + epsilon).</summary>
    public void RunAdam(
        AcceleratorStream stream,
        ArrayView<float> parameters,
        ArrayView<float> gradients,
        ArrayView<float> first,
        ArrayView<float> second,
        OptimizerStep step)
    {
        if (step.Count > 0) adam(stream, step.Width = loader.WidthFor(step.Count), parameters, gradients, first, second, step);
    }

    [KernelEntry]
    internal static void Sgd(Index1D index, ArrayView<float> p, ArrayView<float> g, OptimizerStep step)
    {
        for (int i = index; i < step.Count; i += step.Width) p[i] -= step.Rate * (g[i] + step.Decay * p[i]);
    }

    [KernelEntry]
    internal static void Momentum(Index1D index, ArrayView<float> p, ArrayView<float> g, ArrayView<float> v, OptimizerStep step)
    {
        for (int i = index; i < step.Count; i += step.Width)
        {
            float velocity = step.Beta1 * v[i] + (g[i] + step.Decay * p[i]);
            v[i] = velocity;
            p[i] -= step.Rate * velocity;
        }
    }

    [KernelEntry]
    internal static void RmsProp(Index1D index, ArrayView<float> p, ArrayView<float> g, ArrayView<float> s, OptimizerStep step)
    {
        for (int i = index; i < step.Count; i += step.Width)
        {
            float slope = g[i] + step.Decay * p[i];
            float meanSquare = step.Beta2 * s[i] + (1f - step.Beta2) * (slope * slope);
            s[i] = meanSquare;
            p[i] -= step.Rate * slope / (MathF.Sqrt(meanSquare) + step.Epsilon);
        }
    }

    [KernelEntry]
    internal static void Adam(Index1D index, ArrayView<float> p, ArrayView<float> g, ArrayView<float> m, ArrayView<float> v, OptimizerStep step)
    {
        for (int i = index; i < step.Count; i += step.Width)
        {
            float slope = g[i] + step.Decay * p[i];
            float first = step.Beta1 * m[i] + (1f - step.Beta1) * slope;
            float second = step.Beta2 * v[i] + (1f - step.Beta2) * (slope * slope);
            m[i] = first;
            v[i] = second;
            p[i] = step.Shrink * p[i] - step.Rate * first / (MathF.Sqrt(second) * step.Correction + step.Epsilon);
        }
    }
}

/// <summary>The numbers of one optimiser step; each rule reads what it needs.</summary>
public struct OptimizerStep
{
    /// <summary>Parameters.</summary>
    public int Count;

    /// <summary>Items launched; set by the launcher.</summary>
    public int Width;

    /// <summary>Learning rate (for Adam over 1 - beta1^step).</summary>
    public float Rate;

    /// <summary>Weight decay that joins the gradient.</summary>
    public float Decay;

    /// <summary>Adam: what decoupled weight decay leaves of a parameter, otherwise 1.</summary>
    public float Shrink;

    /// <summary>Momentum, or Adam's first decay rate.</summary>
    public float Beta1;

    /// <summary>The decay rate of the mean square.</summary>
    public float Beta2;

    /// <summary>Added to the root of the mean square.</summary>
    public float Epsilon;

    /// <summary>Adam: 1 / sqrt(1 - beta2^step).</summary>
    public float Correction;
}
