using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Dense linear algebra as ILGPU kernels.</summary>
internal sealed class IlgpuMatrixOps : IMatrixOps, IDisposable
{
    private readonly IlgpuBackend backend;
    private readonly Fill fill;
    private readonly CuBlasProducts cuBlas;
    private readonly Gemm gemm;
    private readonly ColumnSums columnSums;
    private readonly StepMean stepMean;
    private readonly LastSteps lastSteps;
    private readonly Columns columnCopies;
    private readonly Padding padding;
    private readonly Squares squares;

    /// <summary>Loads the kernels.</summary>
    public IlgpuMatrixOps(IlgpuBackend backend, Fill fill, CuBlasProducts cuBlas)
    {
        this.backend = backend;
        this.fill = fill;
        this.cuBlas = cuBlas;
        columnSums = new ColumnSums(backend.Loader);
        gemm = new Gemm(backend.Loader, columnSums, roundsToTf32: backend.Blas == BlasChoice.KernelsTf32);
        stepMean = new StepMean(backend.Loader);
        lastSteps = new LastSteps(backend.Loader);
        columnCopies = new Columns(backend.Loader);
        padding = new Padding(backend.Loader);
        squares = new Squares(backend.Loader);
    }

    /// <summary>The kernels of products.</summary>
    public Gemm Products => gemm;

    /// <inheritdoc/>
    public void Gemm(bool transposeA, bool transposeB, float alpha, Tensor a, Tensor b, float beta, Tensor c)
    {
        (int m, int n, int k) = OperandChecks.Gemm(backend, transposeA, transposeB, a, b, c);
        Multiply(transposeA, transposeB, alpha, a, b, beta, c, m, n, k);
    }

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor weights, Tensor? bias, Tensor y)
    {
        (int n, int i, int o) = OperandChecks.Linear(backend, x, weights, bias, y);
        if (bias is not null) fill.Run(backend.Stream, backend.View(y), backend.View(bias), backend.Count(y), o);
        Multiply(false, true, 1, x, weights, bias is null ? 0 : 1, y, n, o, i);
    }

    /// <inheritdoc/>
    public void LinearBackward(Tensor x, Tensor weights, Tensor outputGradient, Tensor? inputGradient, Tensor weightGradient, Tensor? biasGradient)
    {
        (int n, int i, int o) = OperandChecks.LinearBackward(backend, x, weights, outputGradient, inputGradient, weightGradient, biasGradient);
        if (inputGradient is not null) Multiply(false, false, 1, outputGradient, weights, 0, inputGradient, n, i, o);
        Multiply(true, false, 1, outputGradient, x, 1, weightGradient, o, i, n);
        if (biasGradient is not null) columnSums.Run(backend.Stream, backend.View(outputGradient), backend.View(biasGradient), n, o, 1, 1);
    }

    /// <inheritdoc/>
    public void ColumnSums(Tensor x, float beta, Tensor sums)
    {
        (int m, int n) = OperandChecks.ColumnSums(backend, x, sums);
        backend.Count(x);
        columnSums.Run(backend.Stream, backend.View(x), backend.View(sums), m, n, 1, beta);
    }

    /// <inheritdoc/>
    public void CopyColumns(Tensor source, int from, Tensor destination, int to, int columns, bool adds = false)
    {
        int rows = OperandChecks.CopyColumns(backend, source, from, destination, to, columns);
        backend.Count(source);
        backend.Count(destination);
        ColumnWindows windows = new()
        {
            Rows = rows,
            Columns = columns,
            From = from,
            To = to,
            SourceStride = source.Shape.Columns,
            TargetStride = destination.Shape.Columns,
            Adds = adds ? 1 : 0,
        };
        columnCopies.Run(backend.Stream, backend.View(source), backend.View(destination), windows);
    }

    /// <inheritdoc/>
    public void MeanOverSteps(Tensor x, Tensor mean, Tensor? lengths = null)
    {
        (int t, int b, int h) = OperandChecks.OverSteps(backend, x, mean, lengths);
        backend.Count(x);
        stepMean.Forward(backend.Stream, backend.View(x), backend.View(mean), LengthsOrNull(lengths), new() { Steps = t, Count = b * h, Hidden = h });
    }

    /// <inheritdoc/>
    public void SpreadOverSteps(Tensor meanGradient, Tensor gradient, Tensor? lengths = null)
    {
        (int t, int b, int h) = OperandChecks.OverSteps(backend, gradient, meanGradient, lengths);
        backend.Count(gradient);
        StepExtents extents = new() { Steps = t, Count = b * h, Hidden = h };
        stepMean.Backward(backend.Stream, backend.View(meanGradient), backend.View(gradient), LengthsOrNull(lengths), extents);
    }

    /// <inheritdoc/>
    public void LastSteps(Tensor x, Tensor lengths, Tensor last)
    {
        (int t, int b, int h) = OperandChecks.LastSteps(backend, x, lengths, last);
        backend.Count(x);
        StepExtents extents = new() { Steps = t, Count = b * h, Hidden = h, Stride = last.Shape.Columns };
        lastSteps.Forward(backend.Stream, backend.View(x), backend.View(last), backend.View<int>(lengths), extents);
    }

    /// <inheritdoc/>
    public void SpreadToLastSteps(Tensor lastGradient, Tensor lengths, Tensor gradient)
    {
        (int t, int b, int h) = OperandChecks.LastSteps(backend, gradient, lengths, lastGradient);
        backend.Count(gradient);
        StepExtents extents = new() { Steps = t, Count = b * h, Hidden = h, Stride = lastGradient.Shape.Columns };
        lastSteps.Backward(backend.Stream, backend.View(lastGradient), backend.View(gradient), backend.View<int>(lengths), extents);
    }

    /// <inheritdoc/>
    public void ClearPadding(Tensor x, Tensor lengths)
    {
        (int t, int b, int h) = OperandChecks.ClearPadding(backend, x, lengths);
        backend.Count(x);
        padding.Clear(backend.Stream, backend.View(x), backend.View<int>(lengths), new() { Steps = t, Count = b * h, Hidden = h });
    }

    /// <inheritdoc/>
    public void WeighSteps(Tensor stepWeights, Tensor lengths, Tensor weights)
    {
        (int t, int b) = OperandChecks.WeighSteps(backend, stepWeights, lengths, weights);
        backend.Count(weights);
        StepExtents extents = new() { Steps = t, Count = b, Hidden = 1 };
        padding.Weigh(backend.Stream, backend.View(stepWeights), backend.View(weights), backend.View<int>(lengths), extents);
    }

    /// <inheritdoc/>
    public void AddSquares(Tensor x, Tensor sums)
    {
        OperandChecks.AddSquares(backend, x, sums);
        squares.Run(backend.Stream, backend.View(x), backend.View(sums), backend.Count(x));
    }

    /// <summary>first += the sums of x's columns and second += the same, shapes checked by the caller.</summary>
    internal void AddColumnSums(Tensor x, Tensor first, Tensor second) =>
        columnSums.AddTo(backend.Stream, backend.View(x), backend.View(first), backend.View(second), backend.Count(x) / x.Shape.Columns, x.Shape.Columns);

    /// <summary>How a product of these extents is computed: by cuBLAS, or by which of our kernels.</summary>
    internal string PlanFor(int m, int n, int k, bool transposeA, bool transposeB) =>
        cuBlas.PlanFor(m, n, k) ?? $"kernels, {gemm.PlanFor(m, n, k, transposeA, transposeB)}";

    /// <summary>C = alpha op(A) op(B) + beta C, shapes checked by the caller.</summary>
    internal void Multiply(bool transposeA, bool transposeB, float alpha, Tensor a, Tensor b, float beta, Tensor c, int m, int n, int k)
    {
        backend.Count(a);
        backend.Count(b);
        backend.Count(c);
        (ArrayView<float> left, ArrayView<float> right, ArrayView<float> result) = (backend.View(a), backend.View(b), backend.View(c));
        if (cuBlas.TryMultiply(transposeA, transposeB, alpha, left, right, beta, result, m, n, k)) return;
        gemm.Run(backend.Stream, left, right, result, m, n, k, transposeA, transposeB, alpha, beta);
    }

    /// <summary>The error for a device without tensor cores that take TF32.</summary>
    internal static InvalidCallException NoTensorCores(DeviceInfo device) => new(
        $"`blas` kernels-tf32: {device.Id} has no tensor cores for TF32, as CUDA devices have from compute capability 8.0 on; leave the choice to `blas` auto.");

    private ArrayView<int>? LengthsOrNull(Tensor? lengths) => lengths is null ? null : backend.View<int>(lengths);

    /// <inheritdoc/>
    public void Dispose()
    {
        gemm.Dispose();
        columnSums.Dispose();
    }
}
