namespace GpuSpectralRnn.Compute.Host;

/// <summary>Second moments and eigenvalues on the processor.</summary>
internal sealed class HostSpectralOps(HostBackend backend, HostThreads threads) : ISpectralOps
{
    /// <inheritdoc/>
    public GramSums CreateGram(int units) => new HostGramSums(backend, threads, units);

    /// <inheritdoc/>
    public StepSquares CreateStepSquares(int steps) => new HostStepSquares(backend, threads, steps);

    /// <inheritdoc/>
    public void SymmetricEigen(int order, ReadOnlySpan<double> matrix, Span<double> values, Span<double> vectors) =>
        HostEigen.Decompose(order, matrix, values, vectors, threads);
}
