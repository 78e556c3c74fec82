using GpuSpectralRnn.Kernels;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Second moments in device memory. Weights whose sum is not given are copied to the host, which checks and adds them up; rows are not copied.
/// </summary>
internal sealed class IlgpuGramAccumulator : GramAccumulator
{
    private readonly IlgpuBackend backend;
    private readonly Gram gram;
    private double total; // of the weights
    private bool isDisposed;

    /// <summary>Empty sums for rows of <paramref name="units"/> numbers.</summary>
    public IlgpuGramAccumulator(IlgpuBackend backend, int units)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        this.backend = backend;
        Units = units;
        try
        {
            gram = Gram.Create(backend.Loader, units, backend.Device.HasFloat64);
        }
        catch (Exception refused) when (refused is AcceleratorException or OutOfMemoryException or OverflowException)
        {
            backend.Stream.Synchronize(); // throws where the device failed before
            throw new RunFailedException($"{backend.Device.Id} has no room for the second moments of {units} units.", refused);
        }

        Reset();
    }

    /// <inheritdoc/>
    public override int Units { get; }

    /// <inheritdoc/>
    public override void Add(GramOperands operands)
    {
        (Tensor states, Tensor? weights, double? weightSum) = operands;
        ObjectDisposedException.ThrowIf(isDisposed, this);
        OperandChecks.Float(backend, states);
        if (states.Shape.Columns != Units)
            throw new ArgumentException($"{states} has rows of {states.Shape.Columns}, the sums are for {Units}.", nameof(states));
        backend.Count(states);
        int count = states.Shape.Rows;
        int rowsPerWeight = 0;
        double sum = count;
        if (weights is not null)
        {
            OperandChecks.Float(backend, weights);
            if (weights.Count == 0 ? count > 0 : count % weights.Count != 0)
                throw new ArgumentException($"{weights.Count} weights do not divide {count} rows.", nameof(weights));
            if (weights.Count == 0) return;
            rowsPerWeight = (int)(count / weights.Count);
            sum = weightSum ?? SumOf(weights.ToArray()) * rowsPerWeight;
        }

        total += sum;
        gram.Add(backend.Stream, new()
        {
            Values = backend.View(states),
            Weights = backend.View(weights ?? states),
            Units = Units,
            Count = count,
            RowsPerWeight = rowsPerWeight,
        });
    }

    /// <inheritdoc/>
    public override double Read(Span<double> sums)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (sums.Length != Units * Units) throw new ArgumentException($"The matrix has {Units} x {Units} elements, not {sums.Length}.", nameof(sums));
        gram.Read(backend.Stream, sums);
        return total;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        gram.Reset(backend.Stream);
        total = 0;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        gram.Dispose();
    }

    private static double SumOf(float[] weights)
    {
        double sum = 0;
        foreach (float w in weights)
        {
            if (!(w >= 0) || float.IsInfinity(w))
                throw new ArgumentException($"{w} is not a weight; weights are finite and zero or more.", nameof(weights));
            sum += w;
        }

        return sum;
    }
}
