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
    private readonly RowSquares rowSquares;
    private readonly Launcher<ScaledRows> scaleRows;
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
        rowSquares = new RowSquares(backend.Loader, columnSums);
        scaleRows = backend.Loader.Elements<ScaledRows>();
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
    public void Gemm(GemmOperands o)
    {
        (int m, int n, int k) = OperandChecks.Gemm(backend, o);
        backend.Count(o.A);
        backend.Count(o.B);
        backend.Count(o.C);
        GemmCall call = new(backend.View(o.A), backend.View(o.B), backend.View(o.C), m, n, k, o.TransposeA, o.TransposeB, o.Alpha, o.Beta);
        if (!cuBlas.TryMultiply(call)) gemm.Run(backend.Stream, call);
    }

    /// <inheritdoc/>
    public void Linear(LinearOperands operands)
    {
        (_, _, int width) = OperandChecks.Linear(backend, operands);
        (Tensor x, Tensor weights, Tensor? bias, Tensor y) = operands;
        if (bias is not null) fillRows(backend.Stream, backend.Count(y), new(backend.View(y), backend.View(bias), width));
        Gemm(new(false, true, 1, x, weights, bias is null ? 0 : 1, y));
    }

    /// <inheritdoc/>
    public void LinearBackward(LinearBackwardOperands o)
    {
        OperandChecks.LinearBackward(backend, o);
        if (o.InputGradient is not null) Gemm(new(false, false, 1, o.OutputGradient, o.Weights, 0, o.InputGradient));
        Gemm(new(true, false, 1, o.OutputGradient, o.X, 1, o.WeightGradient));
        if (o.BiasGradient is not null) ColumnSums(new(o.OutputGradient, 1, o.BiasGradient));
    }

    /// <inheritdoc/>
    public void ColumnSums(ColumnSumsOperands o) => columnSums.Run(backend.Stream, Arguments(o));

    /// <inheritdoc/>
    public void CopyColumns(CopyColumnsOperands o)
    {
        int rows = OperandChecks.CopyColumns(backend, o);
        backend.Count(o.Source);
        backend.Count(o.Destination);
        (int sourceStride, int targetStride) = (o.Source.Shape.Columns, o.Destination.Shape.Columns);
        copyColumns(
            backend.Stream,
            rows * o.Columns,
            new(backend.View(o.Source), backend.View(o.Destination), o.Columns, o.From, o.To, sourceStride, targetStride, o.Adds));
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
    public void AddRowSquares(RowGroups operands)
    {
        (int units, int columns) = OperandChecks.RowGroups(backend, operands);
        (Tensor weights, Tensor squares, int blocks, int first, int stride) = operands;
        backend.Count(weights);
        rowSquares.Run(backend.Stream, backend.View(weights), backend.View(squares), new(blocks, first, stride, units, columns));
    }

    /// <inheritdoc/>
    public void ScaleRows(RowGroups operands)
    {
        (int units, int columns) = OperandChecks.RowGroups(backend, operands);
        (Tensor weights, Tensor scales, int blocks, int first, int stride) = operands;
        backend.Count(weights);
        scaleRows(backend.Stream, blocks * units * columns, new(backend.View(weights), backend.View(scales), first, stride, units, columns));
    }

    /// <inheritdoc/>
    public void MeanOverSteps(MeanOverStepsOperands o)
    {
        StepExtents extents = new(OperandChecks.MeanOverSteps(backend, o));
        backend.Count(o.Sequence);
        stepMean(backend.Stream, backend.Count(o.Mean), new(backend.View(o.Sequence), backend.View(o.Mean), LengthsOrNull(o.Lengths), extents));
    }

    /// <inheritdoc/>
    public void SpreadOverSteps(MeanOverStepsOperands o)
    {
        StepExtents extents = new(OperandChecks.MeanOverSteps(backend, o));
        int count = backend.Count(o.Sequence);
        stepMeanBackward(backend.Stream, count, new(backend.View(o.Mean), backend.View(o.Sequence), LengthsOrNull(o.Lengths), extents));
    }

    /// <inheritdoc/>
    public void LastSteps(LastStepsOperands o)
    {
        StepExtents extents = new(OperandChecks.LastSteps(backend, o));
        backend.Count(o.Sequence);
        lastSteps(
            backend.Stream,
            extents.Count,
            new(backend.View(o.Sequence), backend.View(o.Last), backend.View<int>(o.Lengths), extents, o.Last.Shape.Columns));
    }

    /// <inheritdoc/>
    public void SpreadToLastSteps(LastStepsOperands o)
    {
        StepExtents extents = new(OperandChecks.LastSteps(backend, o));
        lastStepsBackward(
            backend.Stream,
            backend.Count(o.Sequence),
            new(backend.View(o.Last), backend.View(o.Sequence), backend.View<int>(o.Lengths), extents, o.Last.Shape.Columns));
    }

    /// <inheritdoc/>
    public void ClearPadding(ClearPaddingOperands o)
    {
        StepExtents extents = new(OperandChecks.ClearPadding(backend, o));
        clearPadding(backend.Stream, backend.Count(o.X), new(backend.View(o.X), backend.View<int>(o.Lengths), extents));
    }

    /// <inheritdoc/>
    public void WeighSteps(WeighStepsOperands o)
    {
        (_, int b) = OperandChecks.WeighSteps(backend, o);
        weighSteps(
            backend.Stream,
            backend.Count(o.Weights),
            new(backend.View(o.StepWeights), backend.View(o.Weights), backend.View<int>(o.Lengths), b));
    }

    /// <inheritdoc/>
    public void AddSquares(AddSquaresOperands o)
    {
        OperandChecks.AddSquares(backend, o);
        addSquares(backend.Stream, backend.Count(o.X), new(backend.View(o.X), backend.View(o.Sums)));
    }

    /// <summary>The same for a second tensor [N] of sums, whose shape the caller has checked; x is read once.</summary>
    internal void ColumnSums(ColumnSumsOperands o, Tensor second) => columnSums.Run(backend.Stream, Arguments(o), backend.View(second));

    /// <summary>How a product of these extents is computed: by cuBLAS, or by which of our kernels.</summary>
    internal string PlanFor(int m, int n, int k, bool transposeA, bool transposeB) =>
        cuBlas.PlanFor(m, n, k) ?? $"kernels, {gemm.PlanFor(m, n, k, transposeA, transposeB)}";

    /// <summary>The error for a device without tensor cores that take TF32.</summary>
    internal static InvalidCallException NoTensorCores(DeviceInfo device) => new(
        $"`blas` kernels-tf32: {device.Id} has no tensor cores for TF32, as CUDA devices have from compute capability 8.0 on; " +
        "leave the choice to `blas` auto.");

    private ColumnSumsArguments Arguments(ColumnSumsOperands o)
    {
        (int m, int n) = OperandChecks.ColumnSums(backend, o);
        backend.Count(o.X);
        return new() { X = backend.View(o.X), Sums = backend.View(o.Sums), Rows = m, Columns = n, Alpha = 1, Beta = o.Beta };
    }

    private ArrayView<int>? LengthsOrNull(Tensor? lengths) => lengths is null ? null : backend.View<int>(lengths);

    /// <inheritdoc/>
    public void Dispose()
    {
        gemm.Dispose();
        columnDots.Dispose();
        columnSums.Dispose();
    }
}
