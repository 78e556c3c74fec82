namespace GpuSpectralRnn.Compute;

/// <summary>One step of an optimiser over a flat block of parameters [P] and its gradients [P]. The rules are PyTorch's.</summary>
public interface IOptimizerOps
{
    /// <summary>g += weightDecay p; p -= rate g.</summary>
    void Sgd(Tensor parameters, Tensor gradients, float rate, float weightDecay);

    /// <summary>g += weightDecay p; v = momentum v + g; p -= rate v (v starts at zero).</summary>
    void Momentum(Tensor parameters, Tensor gradients, Tensor velocity, float rate, float momentum, float weightDecay);

    /// <summary>g += weightDecay p; s = alpha s + (1 - alpha) g^2; p -= rate g / (sqrt(s) + epsilon).</summary>
    void RmsProp(Tensor parameters, Tensor gradients, Tensor meanSquare, float rate, float alpha, float epsilon, float weightDecay);

    /// <summary>
    /// Adam (Kingma and Ba 2015), step counted from 1; with <paramref name="decoupled"/> AdamW (Loshchilov and Hutter 2019): p -= rate weightDecay p
    /// instead of adding it to the gradient. p -= rate (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon).
    /// </summary>
    void Adam(
        Tensor parameters,
        Tensor gradients,
        Tensor firstMoment,
        Tensor secondMoment,
        float rate,
        float beta1,
        float beta2,
        float epsilon,
        float weightDecay,
        bool decoupled,
        long step);

    /// <summary>p *= mask, element by element: with zeros and ones, weights that were taken away stay away.</summary>
    void Mask(Tensor parameters, Tensor mask);

    /// <summary>
    /// Scales the gradients by min(1, limit / (norm + 1e-6)) (Pascanu et al. 2013) and writes their norm before that to <paramref name="norm"/> [1].
    /// Stays on the device; the order of the additions is fixed.
    /// </summary>
    void ClipGlobalNorm(Tensor gradients, float limit, Tensor norm);
}
