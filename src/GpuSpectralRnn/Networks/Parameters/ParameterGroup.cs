namespace GpuSpectralRnn.Networks;

/// <summary>Parameters that an optimiser moves by a learning rate and a weight decay of their own.</summary>
/// <param name="Name">Its name, for example <c>gates</c>.</param>
/// <param name="RateFactor">On the learning rate of the run.</param>
/// <param name="WeightDecay">Instead of the run's weight decay; null for that.</param>
public sealed record ParameterGroup(string Name, double RateFactor = 1, double? WeightDecay = null)
{
    /// <summary>Weights and biases, as the run has it.</summary>
    public static ParameterGroup Weights { get; } = new("weights");

    /// <summary>What is given and stays: no step moves it.</summary>
    public static ParameterGroup Fixed { get; } = new("fixed", RateFactor: 0, WeightDecay: 0);
}
