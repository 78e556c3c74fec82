using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Clipping by the global norm (Pascanu et al. 2013), all on the device: partial sums of squares, their total in a fixed order, the scaling.
/// </summary>
public sealed class GlobalNorm : IDisposable
{
    // Many items keep a device busy; their sums are then added up in two rounds, the first over Fold at a time.
    private const int Capacity = 1 << 14;
    private const int Fold = 128;

    private readonly KernelLoader loader;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int> sumSquares;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int> addUp;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int> finish;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, float> clip;
    private readonly MemoryBuffer partials;

    /// <summary>Loads the kernels.</summary>
    public GlobalNorm(KernelLoader loader)
    {
        this.loader = loader;
        sumSquares = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int>>(SumSquares, 32);
        finish = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int>>(Finish);
        clip = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, float>>(Clip);
        addUp = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int>>(AddUp, 32);
        partials = loader.Memory.Allocate(2 * (Capacity + Capacity / Fold), sizeof(float));
    }

    /// <summary>Writes the norm of x [count] to norm [1], then scales x by min(1, limit / (norm + 1e-6)).</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> norm, int count, float limit)
    {
        int items = Math.Max(1, Math.Min(loader.WidthFor(count), Capacity));
        ArrayView<float> partial = partials.AsArrayView<float>(0, 2 * items); // [items, 2]
        sumSquares(stream, items, x, partial, count, items);
        if (items > Fold)
        {
            int sums = (items + Fold - 1) / Fold;
            ArrayView<float> fewer = partials.AsArrayView<float>(2 * Capacity, 2 * sums); // [sums, 2]
            addUp(stream, sums, partial, fewer, items);
            (partial, items) = (fewer, sums);
        }

        finish(stream, 1, partial, norm, items);
        if (count == 0) return;
        int width = loader.WidthFor(count);
        clip(stream, width, x, norm, count, width, limit);
    }

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

    [KernelEntry]
    internal static void SumSquares(
        Index1D index,
        ArrayView<float> x, // [count]
        ArrayView<float> partial, // [width, 2]
        int count,
        int width)
    {
        CompensatedSum sum = default;
        for (int i = index; i < count; i += width) sum.Add(x[i] * x[i]);
        partial[2 * index] = sum.High;
        partial[2 * index + 1] = sum.Low;
    }

    [KernelEntry]
    internal static void AddUp(
        Index1D index,
        ArrayView<float> partial, // [items, 2]
        ArrayView<float> sums, // [ceil(items / Fold), 2]
        int items)
    {
        CompensatedSum sum = Total(partial, index * Fold, Math.Min(items, (index + 1) * Fold));
        sums[2 * index] = sum.High;
        sums[2 * index + 1] = sum.Low;
    }

    [KernelEntry]
    internal static void Finish(
        Index1D index,
        ArrayView<float> partial, // [items, 2]
        ArrayView<float> norm, // [1]
        int items) => norm[index] = MathF.Sqrt(Total(partial, 0, items).Rounded);

    private static CompensatedSum Total(ArrayView<float> partial, int from, int to)
    {
        CompensatedSum sum = default;
        for (int i = from; i < to; i++)
        {
            CompensatedSum part = default;
            part.High = partial[2 * i];
            part.Low = partial[2 * i + 1];
            sum.Add(part);
        }

        return sum;
    }

    [KernelEntry]
    internal static void Clip(
        Index1D index,
        ArrayView<float> x, // [count]
        ArrayView<float> norm, // [1]
        int count,
        int width,
        float limit)
    {
        float factor = limit / (norm[0] + 1e-6f);
        if (factor >= 1f) return;
        for (int i = index; i < count; i += width) x[i] *= factor;
    }
}
