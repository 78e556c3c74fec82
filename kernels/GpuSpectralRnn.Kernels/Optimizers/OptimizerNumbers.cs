namespace GpuSpectralRnn.Kernels;

/// <summary>The scalars of a step of gradient descent, for host and devices.</summary>
/// <param name="rate">The learning rate.</param>
/// <param name="weightDecay">L2 penalty: this times p is added to the gradient.</param>
public readonly struct SgdNumbers(float rate, float weightDecay)
{
    /// <summary>The learning rate.</summary>
    public readonly float Rate = rate;

    /// <summary>The weight decay.</summary>
    public readonly float Decay = weightDecay;
}

/// <summary>The scalars of a step of gradient descent with momentum, for host and devices.</summary>
/// <param name="rate">The learning rate.</param>
/// <param name="momentum">Factor on the velocity of the step before.</param>
/// <param name="weightDecay">L2 penalty: this times p is added to the gradient.</param>
public readonly struct MomentumNumbers(float rate, float momentum, float weightDecay)
{
    /// <summary>The learning rate.</summary>
    public readonly float Rate = rate;

    /// <summary>The momentum.</summary>
    public readonly float Momentum = momentum;

    /// <summary>The weight decay.</summary>
    public readonly float Decay = weightDecay;
}

/// <summary>The scalars of a step of RMSProp, for host and devices.</summary>
/// <param name="rate">The learning rate.</param>
/// <param name="alpha">The decay rate of the mean square.</param>
/// <param name="epsilon">Added to the root of the mean square.</param>
/// <param name="weightDecay">L2 penalty: this times p is added to the gradient.</param>
public readonly struct RmsPropNumbers(float rate, float alpha, float epsilon, float weightDecay)
{
    /// <summary>The learning rate.</summary>
    public readonly float Rate = rate;

    /// <summary>The decay rate of the mean square.</summary>
    public readonly float Alpha = alpha;

    /// <summary>Added to the root of the mean square.</summary>
    public readonly float Epsilon = epsilon;

    /// <summary>The weight decay.</summary>
    public readonly float Decay = weightDecay;
}

/// <summary>The scalars of a step of Adadelta, for host and devices.</summary>
/// <param name="rate">The learning rate.</param>
/// <param name="rho">The decay rate of both mean squares.</param>
/// <param name="epsilon">Added to the mean squares under their roots.</param>
/// <param name="weightDecay">L2 penalty: this times p is added to the gradient.</param>
public readonly struct AdadeltaNumbers(float rate, float rho, float epsilon, float weightDecay)
{
    /// <summary>The learning rate.</summary>
    public readonly float Rate = rate;

    /// <summary>The decay rate of both mean squares.</summary>
    public readonly float Rho = rho;

    /// <summary>Added to the mean squares under their roots.</summary>
    public readonly float Epsilon = epsilon;

    /// <summary>The weight decay.</summary>
    public readonly float Decay = weightDecay;
}

/// <summary>The scalars of a step of Adam with the bias corrections applied, for host and devices.</summary>
/// <param name="rate">The learning rate.</param>
/// <param name="beta1">The decay rate of the first moment.</param>
/// <param name="beta2">The decay rate of the second moment.</param>
/// <param name="epsilon">Added to the root of the second moment.</param>
/// <param name="weightDecay">The weight decay.</param>
/// <param name="decoupled">Whether weight decay acts on the parameter itself (AdamW) instead of the gradient.</param>
/// <param name="step">Number of the step, from 1.</param>
/// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
public readonly struct AdamNumbers(float rate, float beta1, float beta2, float epsilon, float weightDecay, bool decoupled, long step)
{
    /// <summary>The learning rate over 1 - beta1^step.</summary>
    public readonly float Rate = (float)(rate / (1 - Math.Pow(beta1, Checked(step))));

    /// <summary>The decay rate of the first moment.</summary>
    public readonly float Beta1 = beta1;

    /// <summary>The decay rate of the second moment.</summary>
    public readonly float Beta2 = beta2;

    /// <summary>Added to the root of the second moment.</summary>
    public readonly float Epsilon = epsilon;

    /// <summary>Weight decay that is added to the gradient.</summary>
    public readonly float Decay = decoupled ? 0 : weightDecay;

    /// <summary>Factor on the parameter: 1 - rate weightDecay where weight decay is decoupled, else 1.</summary>
    public readonly float Shrink = decoupled ? 1 - rate * weightDecay : 1;

    /// <summary>1 / sqrt(1 - beta2^step).</summary>
    public readonly float Correction = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step)));

    private static long Checked(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        return step;
    }
}
