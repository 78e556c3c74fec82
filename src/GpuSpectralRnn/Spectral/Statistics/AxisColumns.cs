using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Spectral;

/// <summary>The units of one axis within a value that holds several.</summary>
internal sealed class AxisColumns(IBackend backend) : IDisposable
{
    private readonly GrowingTensor memory = new(backend);

    /// <summary>Values or gradients of an axis: those of the carrier itself, or a copy of the axis' columns, which holds until the next call.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="carrier">One of its carriers.</param>
    /// <param name="whole">[T, B, F] or [B, F], of the carrier.</param>
    /// <returns>[T, B, m] or [B, m].</returns>
    public Tensor Take(PrunableAxis axis, Value carrier, Tensor whole)
    {
        if (carrier.Units.Count == 1) return whole;
        int[] extents = whole.Shape.ToArray();
        extents[^1] = axis.Units;
        Tensor part = memory.Take(new Shape(extents).Count).View(0, extents);
        backend.Matrix.CopyColumns(new(whole, axis.FirstColumn(carrier), part, 0, axis.Units));
        return part;
    }

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();
}
