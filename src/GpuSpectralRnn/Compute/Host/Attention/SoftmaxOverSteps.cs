namespace GpuSpectralRnn.Compute.Host;

/// <summary>Softmax over one sequence's valid steps, which lie stride numbers apart.</summary>
internal static unsafe class SoftmaxOverSteps
{
    /// <summary>y = softmax of x over the first <paramref name="valid"/> of <paramref name="steps"/> steps, zero beyond; y may be x.</summary>
    public static void Run(float* x, float* y, long steps, long valid, long stride)
    {
        float largest = float.NegativeInfinity;
        for (long t = 0; t < valid; t++) largest = largest < x[t * stride] ? x[t * stride] : largest;
        double sum = 0;
        for (long t = 0; t < valid; t++)
        {
            float term = SimdMath.Exp<SimdOne, float>(x[t * stride] - largest);
            y[t * stride] = term;
            sum += term;
        }

        float divisor = (float)sum;
        for (long t = 0; t < steps; t++) y[t * stride] = t < valid ? y[t * stride] / divisor : 0;
    }

    /// <summary>inputGradient = y (d - sum y d) over the valid steps, zero beyond; inputGradient may be d.</summary>
    public static void RunBackward(float* y, float* d, float* inputGradient, long steps, long valid, long stride)
    {
        double sum = 0;
        for (long t = 0; t < valid; t++) sum += (double)y[t * stride] * d[t * stride];
        float mean = (float)sum;
        for (long t = 0; t < steps; t++) inputGradient[t * stride] = t < valid ? y[t * stride] * (d[t * stride] - mean) : 0;
    }
}
