using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Second moments and eigenvalues on the processor.</summary>
internal sealed class HostSpectralOps(HostBackend backend, HostParallel threads) : ISpectralOps
{
    /// <inheritdoc/>
    public GramAccumulator CreateGram(int units) => new HostGramAccumulator(backend, threads, units);

    /// <inheritdoc/>
    public StepSquares CreateStepSquares(int steps) => new HostStepSquares(backend, threads, steps);

    /// <inheritdoc/>
    public void SymmetricEigen(SymmetricEigenOperands operands)
    {
        OperandChecks.SymmetricEigen(operands);
        SymmetricEigenSolver.Decompose(operands.Order, operands.Matrix, operands.Values, operands.Vectors, threads);
    }
}
