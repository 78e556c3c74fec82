using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Gradient descent on parameters p with gradients g, all [count]: p -= rate (g + decay p).</summary>
public readonly struct Sgd(ArrayView<float> p, ArrayView<float> g, float rate, float decay) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => p[element] -= rate * (g[element] + decay * p[element]);
}

/// <summary>With momentum: v = momentum v + g + decay p; p -= rate v.</summary>
public readonly struct Momentum(ArrayView<float> p, ArrayView<float> g, ArrayView<float> v, float rate, float momentum, float decay) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float velocity = momentum * v[element] + (g[element] + decay * p[element]);
        v[element] = velocity;
        p[element] -= rate * velocity;
    }
}

/// <summary>RMSProp: g += decay p; s = alpha s + (1 - alpha) g^2; p -= rate g / (sqrt(s) + epsilon).</summary>
public readonly struct RmsProp(ArrayView<float> p, ArrayView<float> g, ArrayView<float> s, float rate, float alpha, float epsilon, float decay)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float slope = g[element] + decay * p[element];
        float meanSquare = alpha * s[element] + (1f - alpha) * (slope * slope);
        s[element] = meanSquare;
        p[element] -= rate * slope / (MathF.Sqrt(meanSquare) + epsilon);
    }
}

/// <summary>Adam: g += decay p; m, v as moving averages; p = shrink p - rate m / (sqrt(v) correction + epsilon).</summary>
public readonly struct Adam(ArrayView<float> p, ArrayView<float> g, ArrayView<float> m, ArrayView<float> v, AdamNumbers step) : IElementKernel
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

/// <summary>The numbers of one of Adam's steps, with its bias corrections worked in.</summary>
public readonly struct AdamNumbers(float rate, float beta1, float beta2, float epsilon, float weightDecay, bool decoupled, long step)
{
    /// <summary>The learning rate over 1 - beta1^step.</summary>
    public readonly float Rate = (float)(rate / (1 - Math.Pow(beta1, step)));

    /// <summary>The decay rate of the mean gradient.</summary>
    public readonly float Beta1 = beta1;

    /// <summary>The decay rate of the mean square.</summary>
    public readonly float Beta2 = beta2;

    /// <summary>Added to the root of the mean square.</summary>
    public readonly float Epsilon = epsilon;

    /// <summary>Weight decay that joins the gradient.</summary>
    public readonly float Decay = decoupled ? 0 : weightDecay;

    /// <summary>What decoupled weight decay leaves of a parameter, otherwise 1.</summary>
    public readonly float Shrink = decoupled ? 1 - rate * weightDecay : 1;

    /// <summary>1 / sqrt(1 - beta2^step).</summary>
    public readonly float Correction = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step)));
}
