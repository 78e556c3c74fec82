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
    private readonly Launcher<SumSquares> sumSquares;
    private readonly Launcher<AddSums> addSums;
    private readonly Launcher<TakeRoot> takeRoot;
    private readonly Launcher<Clip> clip;
    private readonly MemoryBuffer partials;

    /// <summary>Loads the kernels.</summary>
    public GlobalNorm(KernelLoader loader)
    {
        this.loader = loader;
        sumSquares = loader.Items<SumSquares>();
        addSums = loader.Items<AddSums>();
        takeRoot = loader.Items<TakeRoot>();
        clip = loader.Items<Clip>();
        partials = loader.Memory.Allocate(2 * (Capacity + Capacity / Fold), sizeof(float));
    }

    /// <summary>Writes the norm of x [count] to norm [1], then scales x by min(1, limit / (norm + 1e-6)).</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> norm, int count, float limit)
    {
        int items = Math.Max(1, Math.Min(loader.WidthFor(count), Capacity));
        ArrayView<float> partial = partials.AsArrayView<float>(0, 2 * items); // [items, 2]
        sumSquares(stream, items, new(x, partial, count, items));
        if (items > Fold)
        {
            int sums = (items + Fold - 1) / Fold;
            ArrayView<float> fewer = partials.AsArrayView<float>(2 * Capacity, 2 * sums); // [sums, 2]
            addSums(stream, sums, new(partial, fewer, items));
            (partial, items) = (fewer, sums);
        }

        takeRoot(stream, 1, new(partial, norm, items));
        int width = loader.WidthFor(count);
        if (width > 0) clip(stream, width, new(x, norm, count, width, limit));
    }

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

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

    [Kernel(GroupSize = 32)]
    internal readonly struct SumSquares(
        ArrayView<float> x, // [count]
        ArrayView<float> partial, // [items, 2]
        int count,
        int items)
        : IItemKernel
    {
        public void Run(int item)
        {
            CompensatedSum sum = default;
            for (int i = item; i < count; i += items) sum.Add(x[i] * x[i]);
            partial[2 * item] = sum.High;
            partial[2 * item + 1] = sum.Low;
        }
    }

    [Kernel(GroupSize = 32)]
    internal readonly struct AddSums(
        ArrayView<float> partial, // [count, 2]
        ArrayView<float> sums, // [ceil(count / Fold), 2]
        int count)
        : IItemKernel
    {
        public void Run(int item)
        {
            CompensatedSum sum = Total(partial, item * Fold, Math.Min(count, (item + 1) * Fold));
            sums[2 * item] = sum.High;
            sums[2 * item + 1] = sum.Low;
        }
    }

    internal readonly struct TakeRoot(
        ArrayView<float> partial, // [count, 2]
        ArrayView<float> norm, // [1]
        int count)
        : IItemKernel
    {
        public void Run(int item) => norm[item] = MathF.Sqrt(Total(partial, 0, count).Rounded);
    }

    // Of items, not of elements: each asks once whether there is anything to do.
    internal readonly struct Clip(
        ArrayView<float> x, // [count]
        ArrayView<float> norm, // [1]
        int count,
        int items,
        float limit)
        : IItemKernel
    {
        public void Run(int item)
        {
            float factor = limit / (norm[0] + 1e-6f);
            if (factor >= 1f) return;
            for (int i = item; i < count; i += items) x[i] *= factor;
        }
    }
}
