namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Sums of squares step by step in device memory, as compensated pairs of singles.</summary>
internal sealed class IlgpuStepSquares : StepSquares
{
    private readonly IlgpuBackend backend;
    private readonly Kernels.StepSquares kernel;
    private readonly Tensor totals; // [T, (high, low)]

    /// <summary>Empty sums for so many steps.</summary>
    public IlgpuStepSquares(IlgpuBackend backend, Kernels.StepSquares kernel, int steps)
    {
        (this.backend, this.kernel, Steps) = (backend, kernel, steps);
        totals = backend.Allocate(new Shape(steps, 2));
    }

    /// <inheritdoc/>
    public override int Steps { get; }

    /// <inheritdoc/>
    public override void Add(Tensor rows)
    {
        (int b, int m) = OperandChecks.StepSquares(backend, rows, Steps);
        backend.Count(rows);
        kernel.Run(backend.Stream, new(backend.View(rows), backend.View(totals), b * m, m), Steps);
    }

    /// <inheritdoc/>
    public override void Read(Span<double> sums)
    {
        float[] pairs = totals.ToArray();
        for (int t = 0; t < Steps; t++) sums[t] = (double)pairs[2 * t] + pairs[2 * t + 1];
    }

    /// <inheritdoc/>
    public override void Dispose() => totals.Dispose();
}
