using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute;

/// <summary>Operands of a step of Adam.</summary>
/// <param name="Parameters">p.</param>
/// <param name="Gradients">Of p's count.</param>
/// <param name="FirstMoment">m, of p's count.</param>
/// <param name="SecondMoment">v, of p's count.</param>
/// <param name="Rate">The learning rate.</param>
/// <param name="Beta1">The decay rate of m.</param>
/// <param name="Beta2">The decay rate of v.</param>
/// <param name="Epsilon">Added to the root of v.</param>
/// <param name="WeightDecay">Weight decay.</param>
/// <param name="Decoupled">AdamW's weight decay.</param>
/// <param name="Step">Counted from 1.</param>
public readonly record struct AdamStep(
    Tensor Parameters,
    Tensor Gradients,
    Tensor FirstMoment,
    Tensor SecondMoment,
    float Rate,
    float Beta1,
    float Beta2,
    float Epsilon,
    float WeightDecay,
    bool Decoupled,
    long Step)
{
    /// <summary>The numbers with the bias corrections worked in.</summary>
    internal AdamNumbers Numbers => new(Rate, Beta1, Beta2, Epsilon, WeightDecay, Decoupled, Step);
}

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
    /// Adam (Kingma and Ba 2015): p -= rate (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon); decoupled, AdamW (Loshchilov and Hutter
    /// 2019): p -= rate weightDecay p instead of adding it to the gradient.
    /// </summary>
    void Adam(AdamStep step);

    /// <summary>p *= mask, element by element: with zeros and ones, weights that were taken away stay away.</summary>
    void Mask(Tensor parameters, Tensor mask);

    /// <summary>
    /// Scales the gradients by min(1, limit / (norm + 1e-6)) (Pascanu et al. 2013) and writes their norm before that to <paramref name="norm"/> [1].
    /// Stays on the device; the order of the additions is fixed.
    /// </summary>
    void ClipGlobalNorm(Tensor gradients, float limit, Tensor norm);
}
