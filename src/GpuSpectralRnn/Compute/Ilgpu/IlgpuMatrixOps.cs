using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Dense linear algebra as ILGPU kernels.</summary>
internal sealed class IlgpuMatrixOps : IMatrixOps, IDisposable
{
    private readonly IlgpuBackend backend;
    private readonly Launcher<FillRows> fillRows;
    private readonly CuBlasProducts cuBlas;
    private readonly Gemm gemm;
    private readonly ColumnSums columnSums;
    private readonly ColumnDots columnDots;
    private readonly Launcher<ScaledColumns> scaleColumns;
    private readonly Launcher<MeanOverSteps> stepMean;
    private readonly Launcher<MeanOverStepsBackward> stepMeanBackward;
    private readonly Launcher<LastSteps> lastSteps;
    private readonly Launcher<LastStepsBackward> lastStepsBackward;
    private readonly Launcher<ClearPadding> clearPadding;
    private readonly Launcher<WeighSteps> weighSteps;
    private readonly Launcher<ColumnCopy> copyColumns;
    private readonly Launcher<Squares> addSquares;

    /// <summary>Loads the kernels.</summary>
    public IlgpuMatrixOps(IlgpuBackend backend, CuBlasProducts cuBlas)
    {
        this.backend = backend;
        this.cuBlas = cuBlas;
        columnSums = new ColumnSums(backend.Loader);
        columnDots = new ColumnDots(backend.Loader, columnSums);
        scaleColumns = backend.Loader.Elements<ScaledColumns>();
        gemm = new Gemm(backend.Loader, columnSums, roundsToTf32: backend.Blas == ProductBackend.KernelsTf32);
        fillRows = backend.Loader.Elements<FillRows>();
        stepMean = backend.Loader.Elements<MeanOverSteps>();
        stepMeanBackward = backend.Loader.Elements<MeanOverStepsBackward>();
        lastSteps = backend.Loader.Elements<LastSteps>();
        lastStepsBackward = backend.Loader.Elements<LastStepsBackward>();
        clearPadding = backend.Loader.Elements<ClearPadding>();
        weighSteps = backend.Loader.Elements<WeighSteps>();
        copyColumns = backend.Loader.Elements<ColumnCopy>();
        addSquares = backend.Loader.Elements<Squares>();
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
        if (bias is not null) fillRows(backend.Stream, backend.Count(y), new(backend.View(y), backend.View(bias), o));
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
        copyColumns(
            backend.Stream,
            rows * columns,
            new(backend.View(source), backend.View(destination), columns, from, to, source.Shape.Columns, destination.Shape.Columns, adds));
    }

    /// <inheritdoc/>
    public void ScaleColumns(ColumnScaling operands)
    {
        (int m, int n) = OperandChecks.ScaleColumns(backend, operands);
        (Tensor source, Tensor target) = (operands.Source, operands.Destination);
        backend.Count(source);
        scaleColumns(
            backend.Stream,
            m * n,
            new(backend.View(source), backend.View(operands.Scales), backend.View(target), operands.From, n, source.Shape.Columns));
    }

    /// <inheritdoc/>
    public void ColumnDots(ColumnProducts operands)
    {
        (int m, int n) = OperandChecks.ColumnDots(backend, operands);
        backend.Count(operands.A);
        (ArrayView<float> a, ArrayView<float> b) = (backend.View(operands.A), backend.View(operands.B));
        columnDots.Run(backend.Stream, a, b, backend.View(operands.Dots), m, operands.From, n, operands.A.Shape.Columns);
    }

    /// <inheritdoc/>
    public void MeanOverSteps(Tensor x, Tensor mean, Tensor? lengths = null)
    {
        StepExtents extents = new(OperandChecks.OverSteps(backend, x, mean, lengths));
        backend.Count(x);
        stepMean(backend.Stream, backend.Count(mean), new(backend.View(x), backend.View(mean), LengthsOrNull(lengths), extents));
    }

    /// <inheritdoc/>
    public void SpreadOverSteps(Tensor meanGradient, Tensor gradient, Tensor? lengths = null)
    {
        StepExtents extents = new(OperandChecks.OverSteps(backend, gradient, meanGradient, lengths));
        int count = backend.Count(gradient);
        stepMeanBackward(backend.Stream, count, new(backend.View(meanGradient), backend.View(gradient), LengthsOrNull(lengths), extents));
    }

    /// <inheritdoc/>
    public void LastSteps(Tensor x, Tensor lengths, Tensor last)
    {
        StepExtents extents = new(OperandChecks.LastSteps(backend, x, lengths, last));
        backend.Count(x);
        lastSteps(
            backend.Stream, extents.Count, new(backend.View(x), backend.View(last), backend.View<int>(lengths), extents, last.Shape.Columns));
    }

    /// <inheritdoc/>
    public void SpreadToLastSteps(Tensor lastGradient, Tensor lengths, Tensor gradient)
    {
        StepExtents extents = new(OperandChecks.LastSteps(backend, gradient, lengths, lastGradient));
        lastStepsBackward(
            backend.Stream,
            backend.Count(gradient),
            new(backend.View(lastGradient), backend.View(gradient), backend.View<int>(lengths), extents, lastGradient.Shape.Columns));
    }

    /// <inheritdoc/>
    public void ClearPadding(Tensor x, Tensor lengths)
    {
        StepExtents extents = new(OperandChecks.ClearPadding(backend, x, lengths));
        clearPadding(backend.Stream, backend.Count(x), new(backend.View(x), backend.View<int>(lengths), extents));
    }

    /// <inheritdoc/>
    public void WeighSteps(Tensor stepWeights, Tensor lengths, Tensor weights)
    {
        (_, int b) = OperandChecks.WeighSteps(backend, stepWeights, lengths, weights);
        weighSteps(
            backend.Stream, backend.Count(weights), new(backend.View(stepWeights), backend.View(weights), backend.View<int>(lengths), b));
    }

    /// <inheritdoc/>
    public void AddSquares(Tensor x, Tensor sums)
    {
        OperandChecks.AddSquares(backend, x, sums);
        addSquares(backend.Stream, backend.Count(x), new(backend.View(x), backend.View(sums)));
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
        GemmCall call = new(backend.View(a), backend.View(b), backend.View(c), m, n, k, transposeA, transposeB, alpha, beta);
        if (!cuBlas.TryMultiply(call)) gemm.Run(backend.Stream, call);
    }

    /// <summary>The error for a device without tensor cores that take TF32.</summary>
    internal static InvalidCallException NoTensorCores(DeviceInfo device) => new(
        $"`blas` kernels-tf32: {device.Id} has no tensor cores for TF32, as CUDA devices have from compute capability 8.0 on; leave the choice to `blas` auto.");

    private ArrayView<int>? LengthsOrNull(Tensor? lengths) => lengths is null ? null : backend.View<int>(lengths);

    /// <inheritdoc/>
    public void Dispose()
    {
        gemm.Dispose();
        columnDots.Dispose();
        columnSums.Dispose();
    }
}
