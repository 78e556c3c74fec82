namespace GpuSpectralRnn.Compute.Host;

/// <summary>Optimiser steps on the processor. Gradients are read only, except by clipping.</summary>
internal sealed unsafe class HostOptimizerOps(HostBackend backend) : IOptimizerOps
{
    /// <inheritdoc/>
    public void Sgd(Tensor parameters, Tensor gradients, float rate, float weightDecay)
    {
        long count = OperandChecks.Optimizer(backend, parameters, gradients);
        float* p = backend.Address(parameters);
        float* g = backend.Address(gradients);
        for (long i = 0; i < count; i++) p[i] -= rate * (g[i] + weightDecay * p[i]);
    }

    /// <inheritdoc/>
    public void Momentum(Tensor parameters, Tensor gradients, Tensor velocity, float rate, float momentum, float weightDecay)
    {
        long count = OperandChecks.Optimizer(backend, parameters, gradients, velocity);
        float* p = backend.Address(parameters);
        float* g = backend.Address(gradients);
        float* v = backend.Address(velocity);
        for (long i = 0; i < count; i++)
        {
            v[i] = momentum * v[i] + (g[i] + weightDecay * p[i]);
            p[i] -= rate * v[i];
        }
    }

    /// <inheritdoc/>
    public void RmsProp(Tensor parameters, Tensor gradients, Tensor meanSquare, float rate, float alpha, float epsilon, float weightDecay)
    {
        long count = OperandChecks.Optimizer(backend, parameters, gradients, meanSquare);
        float* p = backend.Address(parameters);
        float* g = backend.Address(gradients);
        float* s = backend.Address(meanSquare);
        for (long i = 0; i < count; i++)
        {
            float slope = g[i] + weightDecay * p[i];
            s[i] = alpha * s[i] + (1 - alpha) * (slope * slope);
            p[i] -= rate * slope / (MathF.Sqrt(s[i]) + epsilon);
        }
    }

    /// <inheritdoc/>
    public void Adam(
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
        long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        long count = OperandChecks.Optimizer(backend, parameters, gradients, firstMoment, secondMoment);
        float* p = backend.Address(parameters);
        float* g = backend.Address(gradients);
        float* m = backend.Address(firstMoment);
        float* v = backend.Address(secondMoment);
        float stepRate = (float)(rate / (1 - Math.Pow(beta1, step)));
        float correction = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step)));
        float decay = decoupled ? 0 : weightDecay;
        float shrink = decoupled ? 1 - rate * weightDecay : 1;
        for (long i = 0; i < count; i++)
        {
            float slope = g[i] + decay * p[i];
            m[i] = beta1 * m[i] + (1 - beta1) * slope;
            v[i] = beta2 * v[i] + (1 - beta2) * (slope * slope);
            p[i] = shrink * p[i] - stepRate * m[i] / (MathF.Sqrt(v[i]) * correction + epsilon);
        }
    }

    /// <inheritdoc/>
    public void ClipGlobalNorm(Tensor gradients, float limit, Tensor norm)
    {
        long count = OperandChecks.ClipGlobalNorm(backend, gradients, limit, norm);
        float* g = backend.Address(gradients);
        double squares = 0;
        for (long i = 0; i < count; i++) squares += (double)g[i] * g[i];
        double length = Math.Sqrt(squares);
        *backend.Address(norm) = (float)length;
        float factor = (float)Math.Min(1, limit / (length + 1e-6));
        if (factor == 1) return;
        for (long i = 0; i < count; i++) g[i] *= factor;
    }
}
