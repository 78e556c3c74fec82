using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Gradient descent: p -= rate (g + decay p).</summary>
public readonly struct Sgd(
    ArrayView<float> p, // [P], parameters
    ArrayView<float> g, // [P], gradients
    SgdNumbers step)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => p[element] -= step.Rate * (g[element] + step.Decay * p[element]);
}

/// <summary>Gradient descent with momentum: v = momentum v + g + decay p; p -= rate v.</summary>
public readonly struct Momentum(
    ArrayView<float> p, // [P], parameters
    ArrayView<float> g, // [P], gradients
    ArrayView<float> v, // [P], velocities
    MomentumNumbers step)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float velocity = step.Momentum * v[element] + (g[element] + step.Decay * p[element]);
        v[element] = velocity;
        p[element] -= step.Rate * velocity;
    }
}

/// <summary>RMSProp: g' = g + decay p; s = alpha s + (1 - alpha) g'^2; p -= rate g' / (sqrt(s) + epsilon).</summary>
public readonly struct RmsProp(
    ArrayView<float> p, // [P], parameters
    ArrayView<float> g, // [P], gradients
    ArrayView<float> s, // [P], mean squares
    RmsPropNumbers step)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float slope = g[element] + step.Decay * p[element];
        float meanSquare = step.Alpha * s[element] + (1f - step.Alpha) * (slope * slope);
        s[element] = meanSquare;
        p[element] -= step.Rate * slope / (MathF.Sqrt(meanSquare) + step.Epsilon);
    }
}

/// <summary>
/// Adadelta: g' = g + decay p; s = rho s + (1 - rho) g'^2; d = sqrt(u + epsilon) / sqrt(s + epsilon) g'; u = rho u + (1 - rho) d^2; p -= rate d.
/// </summary>
public readonly struct Adadelta(
    ArrayView<float> p, // [P], parameters
    ArrayView<float> g, // [P], gradients
    ArrayView<float> s, // [P], mean squares of gradients
    ArrayView<float> u, // [P], mean squares of changes
    AdadeltaNumbers step)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float slope = g[element] + step.Decay * p[element];
        float meanSquare = step.Rho * s[element] + (1f - step.Rho) * (slope * slope);
        float change = MathF.Sqrt(u[element] + step.Epsilon) / MathF.Sqrt(meanSquare + step.Epsilon) * slope;
        s[element] = meanSquare;
        u[element] = step.Rho * u[element] + (1f - step.Rho) * (change * change);
        p[element] -= step.Rate * change;
    }
}

/// <summary>
/// Adam: g' = g + decay p; m = beta1 m + (1 - beta1) g'; v = beta2 v + (1 - beta2) g'^2; p = shrink p - rate m / (sqrt(v) correction + epsilon).
/// </summary>
public readonly struct Adam(
    ArrayView<float> p, // [P], parameters
    ArrayView<float> g, // [P], gradients
    ArrayView<float> m, // [P], first moments
    ArrayView<float> v, // [P], second moments
    AdamNumbers step)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float slope = g[element] + step.Decay * p[element];
        float first = step.Beta1 * m[element] + (1f - step.Beta1) * slope;
        float second = step.Beta2 * v[element] + (1f - step.Beta2) * (slope * slope);
        m[element] = first;
        v[element] = second;
        p[element] = step.Shrink * p[element] - step.Rate * first / (MathF.Sqrt(second) * step.Correction + step.Epsilon);
    }
}
