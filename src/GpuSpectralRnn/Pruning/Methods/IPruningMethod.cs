namespace GpuSpectralRnn.Pruning;

/// <summary>A way to make a network smaller.</summary>
public interface IPruningMethod
{
    /// <summary>Its family, for plans: <see cref="MethodSpec.Spectral"/>, or else its name in <see cref="MethodSpec.All"/> without <c>-without</c>.</summary>
    string Name { get; }

    /// <summary>Decides what stays.</summary>
    /// <param name="calibration">The network and what is known of it.</param>
    /// <param name="keep">k for each layer: units to keep; for single weights k^2 of them, for columns k columns, for factors the rank.</param>
    /// <exception cref="InvalidCallException">A k is not 1 to m, or the statistics do not allow it.</exception>
    PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep);
}
