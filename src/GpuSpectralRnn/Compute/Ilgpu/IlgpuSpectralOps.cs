using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Second moments and eigenvalues as ILGPU kernels.</summary>
internal sealed class IlgpuSpectralOps(IlgpuBackend backend) : ISpectralOps
{
    private readonly Lazy<Jacobi> jacobi = new(() => new Jacobi(backend.Loader));
    private readonly Lazy<Kernels.StepSquares> stepSquares = new(() => new Kernels.StepSquares(backend.Loader));

    /// <inheritdoc/>
    public GramAccumulator CreateGram(int units) => new IlgpuGramAccumulator(backend, units);

    /// <inheritdoc/>
    public StepSquares CreateStepSquares(int steps) => new IlgpuStepSquares(backend, stepSquares.Value, steps);

    /// <inheritdoc/>
    public void SymmetricEigen(SymmetricEigenOperands operands)
    {
        OperandChecks.SymmetricEigen(operands);
        int order = operands.Order;
        ReadOnlySpan<double> matrix = operands.Matrix;
        if (!backend.Device.HasFloat64)
            throw new InvalidCallException($"{backend.Device.Id} has no double precision for eigenvalues; compute them on the host.");
        if (order == 0) return;
        double largest = 0;
        foreach (double x in matrix)
        {
            if (!double.IsFinite(x)) throw new RunFailedException($"A matrix of order {order} holds {x}: it has no eigenvalues.");
            largest = Math.Max(largest, Math.Abs(x));
        }

        // Scaled by a power of two (exactly) to about 1, so that squares neither overflow nor vanish; one more row and column of zeros where the
        // order is odd. Nothing is ever rotated into it.
        int exponent = largest == 0 ? 0 : Math.ILogB(largest);
        int even = order + order % 2;
        double[] a = new double[even * even];
        double[] rows = new double[even * even];
        double squares = 0;
        for (int i = 0; i < order; i++)
        {
            for (int j = 0; j < order; j++)
            {
                double x = 0.5 * Math.ScaleB(matrix[i * order + j], -exponent) + 0.5 * Math.ScaleB(matrix[j * order + i], -exponent);
                a[i * even + j] = x;
                squares += x * x;
            }
        }

        // All elements off the diagonal together are then below eps ||A||: they move no eigenvalue further.
        double threshold = 1.1e-16 * Math.Sqrt(squares) / even;
        if (!jacobi.Value.Run(backend.Stream, even, a, rows, threshold, backend.Graphs))
            throw new RunFailedException($"Jacobi's rotations of a matrix of order {order} do not settle on {backend.Device.Id}.");
        int[] sorted = [.. Enumerable.Range(0, order).OrderByDescending(i => a[i * even + i])];
        for (int j = 0; j < order; j++)
        {
            operands.Values[j] = Math.ScaleB(a[sorted[j] * even + sorted[j]], exponent);
            for (int i = 0; i < order; i++) operands.Vectors[i * order + j] = rows[sorted[j] * even + i];
        }
    }
}
