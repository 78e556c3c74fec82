using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// The exponential moving average of a network's weights over its steps: after step n, a = d a + (1 - d) p with d = min(decay, (1 + n) / (10 + n)),
/// so that the first steps are soon forgotten (as in TensorFlow's moving averages; docs/reading.md).
/// </summary>
public sealed class WeightAverage : IDisposable
{
    private readonly Parameters parameters;
    private readonly double decay;
    private readonly Tensor aside;

    /// <summary>An average that begins with the weights as they are.</summary>
    /// <param name="parameters">The network's.</param>
    /// <param name="decay">0 to below 1.</param>
    public WeightAverage(Parameters parameters, double decay)
    {
        (this.parameters, this.decay) = (parameters, decay);
        Values = parameters.Backend.Allocate(parameters.Values.Shape);
        aside = parameters.Backend.Allocate(parameters.Values.Shape);
        parameters.Backend.Copy(parameters.Values, Values);
    }

    /// <summary>The average [P].</summary>
    public Tensor Values { get; }

    /// <summary>Takes in the weights after a step.</summary>
    /// <param name="step">1-based, over the whole run.</param>
    public void Add(long step)
    {
        float rest = (float)(1 - Math.Min(decay, (1.0 + step) / (10.0 + step)));
        IElementwiseOps operations = parameters.Backend.Elementwise;
        operations.AddScaled(-rest, Values, Values);
        operations.AddScaled(rest, parameters.Values, Values);
    }

    /// <summary>Puts the average in the network's place until <see cref="Return"/>.</summary>
    public void Lend()
    {
        parameters.Backend.Copy(parameters.Values, aside);
        parameters.Backend.Copy(Values, parameters.Values);
    }

    /// <summary>Puts the weights back.</summary>
    public void Return() => parameters.Backend.Copy(aside, parameters.Values);

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        aside.Dispose();
    }
}
