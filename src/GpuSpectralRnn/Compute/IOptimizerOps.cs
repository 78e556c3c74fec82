using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute;

/// <summary>Operands of a step of gradient descent.</summary>
/// <param name="Parameters">p [P].</param>
/// <param name="Gradients">g [P].</param>
/// <param name="Numbers">The learning rate and the weight decay.</param>
public readonly record struct SgdStep(Tensor Parameters, Tensor Gradients, SgdNumbers Numbers);

/// <summary>Operands of a step of gradient descent with momentum.</summary>
/// <param name="Parameters">p [P].</param>
/// <param name="Gradients">g [P].</param>
/// <param name="Velocity">v [P], zero before the first step.</param>
/// <param name="Numbers">The learning rate, the momentum and the weight decay.</param>
public readonly record struct MomentumStep(Tensor Parameters, Tensor Gradients, Tensor Velocity, MomentumNumbers Numbers);

/// <summary>Operands of a step of RMSProp.</summary>
/// <param name="Parameters">p [P].</param>
/// <param name="Gradients">g [P].</param>
/// <param name="MeanSquare">s [P], zero before the first step.</param>
/// <param name="Numbers">The learning rate, the decay rate of s, epsilon and the weight decay.</param>
public readonly record struct RmsPropStep(Tensor Parameters, Tensor Gradients, Tensor MeanSquare, RmsPropNumbers Numbers);

/// <summary>Operands of a step of Adadelta.</summary>
/// <param name="Parameters">p [P].</param>
/// <param name="Gradients">g [P].</param>
/// <param name="MeanSquare">s [P], zero before the first step.</param>
/// <param name="ChangeSquare">u [P], zero before the first step.</param>
/// <param name="Numbers">The learning rate, the decay rate of s and u, epsilon and the weight decay.</param>
public readonly record struct AdadeltaStep(Tensor Parameters, Tensor Gradients, Tensor MeanSquare, Tensor ChangeSquare, AdadeltaNumbers Numbers);

/// <summary>Operands of a step of Adam.</summary>
/// <param name="Parameters">p [P].</param>
/// <param name="Gradients">g [P].</param>
/// <param name="FirstMoment">m [P], zero before the first step.</param>
/// <param name="SecondMoment">v [P], zero before the first step.</param>
/// <param name="Numbers">The learning rate, the decay rates, epsilon, the weight decay and the number of the step.</param>
public readonly record struct AdamStep(
    Tensor Parameters, Tensor Gradients, Tensor FirstMoment, Tensor SecondMoment, AdamNumbers Numbers);

/// <summary>Parameters and the mask that is applied to them.</summary>
/// <param name="Parameters">p [P].</param>
/// <param name="Mask">[P], zeros and ones.</param>
public readonly record struct MaskOperands(Tensor Parameters, Tensor Mask);

/// <summary>Gradients to be clipped by their norm.</summary>
/// <param name="Gradients">g [P].</param>
/// <param name="Limit">The largest norm, above zero.</param>
/// <param name="Norm">[1]; receives the norm before clipping.</param>
public readonly record struct ClipOperands(Tensor Gradients, float Limit, Tensor Norm);

/// <summary>
/// One step of an optimiser over a flat block of parameters [P] and its gradients [P]. The rules are PyTorch's. Only
/// <see cref="ClipGlobalNorm"/> writes the gradients.
/// </summary>
/// <exception cref="ArgumentException">Counts differ, or operands share memory.</exception>
public interface IOptimizerOps
{
    /// <summary>p -= rate (g + decay p).</summary>
    void Sgd(SgdStep step);

    /// <summary>v = momentum v + g + decay p; p -= rate v.</summary>
    void Momentum(MomentumStep step);

    /// <summary>g' = g + decay p; s = alpha s + (1 - alpha) g'^2; p -= rate g' / (sqrt(s) + epsilon).</summary>
    void RmsProp(RmsPropStep step);

    /// <summary>
    /// Adadelta (Zeiler 2012): g' = g + decay p; s = rho s + (1 - rho) g'^2; d = sqrt(u + epsilon) / sqrt(s + epsilon) g'; u = rho u + (1 - rho) d^2;
    /// p -= rate d.
    /// </summary>
    void Adadelta(AdadeltaStep step);

    /// <summary>
    /// Adam (Kingma and Ba 2015): p -= rate (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon); decoupled, AdamW (Loshchilov and Hutter
    /// 2019): p -= rate weightDecay p instead of adding it to the gradient.
    /// </summary>
    void Adam(AdamStep step);

    /// <summary>p *= mask, element by element: parameters at zeros of the mask become zero.</summary>
    void Mask(MaskOperands operands);

    /// <summary>
    /// The proximal step of a group lasso lambda sum_j sqrt(squares[j] + 1e-8): factors[j] = 1 - amount lambda / sqrt(squares[j] + 1e-8), by which the weights
    /// of group j are then to be multiplied; 0 where that is not above 0, where the norm is below the threshold, and where the factor before was 0. With
    /// groups that do not shrink it is that of the trimmed lasso, lambda times the norms of the smallest groups (Bertsimas, Copenhaver, Mazumder 2017).
    /// </summary>
    void ShrinkGroups(GroupShrink step);

    /// <summary>
    /// Scales the gradients by min(1, limit / (norm + 1e-6)), norm = ||g||_2 (Pascanu et al. 2013), and writes the norm. Nothing is read back to the
    /// host; the order of the additions is fixed.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not above zero.</exception>
    void ClipGlobalNorm(ClipOperands operands);
}
