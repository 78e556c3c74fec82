using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Sums of squares step by step on the processor, in double precision and in one fixed order.</summary>
internal sealed unsafe class HostStepSquares(HostBackend backend, HostParallel threads, int steps) : StepSquares
{
    private readonly SquareSum squares = new(threads);
    private readonly double[] sums = new double[steps];

    /// <inheritdoc/>
    public override int Steps => steps;

    /// <inheritdoc/>
    public override void Add(Tensor rows)
    {
        (int b, int m) = OperandChecks.StepSquares(backend, rows, steps);
        float* x = backend.Address(rows); // [T, B, m]
        for (int t = 0; t < steps; t++) sums[t] += squares.Run(x + (long)t * b * m, (long)b * m) / m;
    }

    /// <inheritdoc/>
    public override void Read(Span<double> sums) => this.sums.CopyTo(sums);

    /// <inheritdoc/>
    public override void Dispose()
    {
    }
}
