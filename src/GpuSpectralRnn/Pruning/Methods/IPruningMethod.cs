namespace GpuSpectralRnn.Pruning;

/// <summary>A method of compression.</summary>
public interface IPruningMethod
{
    /// <summary>
    /// Its family, for plans: <see cref="MethodSpec.Spectral"/>, or else its name in <see cref="MethodSpec.All"/> without <c>-without</c> and
    /// <c>-refined</c>.
    /// </summary>
    string Name { get; }

    /// <summary>Plans the compression of a network.</summary>
    /// <param name="calibration">The network and its statistics.</param>
    /// <param name="keep">
    /// k for each layer: the number of units; of methods for single weights k^2 weights, for columns k columns, for factors the rank.
    /// </param>
    /// <exception cref="InvalidCallException">A k is not 1 to m, or the statistics do not allow it.</exception>
    PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep);
}
