using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Softmax cross-entropy per row, -log softmax(logits)[label], with its gradient in the same pass.</summary>
public sealed class SoftmaxCrossEntropy
{
    private readonly LossTally tally;
    private readonly Launcher run;
    private readonly GroupLauncher? runGroups;

    /// <summary>Loads the kernels.</summary>
    public SoftmaxCrossEntropy(KernelLoader loader, LossTally tally)
    {
        this.tally = tally;
        run = loader.Load<Launcher>(Rows, 32);
        if (loader.SharesMemory && loader.Accelerator.MaxNumThreadsPerGroup >= SoftmaxGroups.Threads)
            runGroups = loader.LoadGrouped<GroupLauncher>(SoftmaxGroups.Rows);
    }

    private delegate void Launcher(
        AcceleratorStream stream,
        Index1D items,
        ArrayView<float> logits,
        ArrayView<int> labels,
        ArrayView<float> gradient,
        ArrayView<float> partialSums,
        ArrayView<int> partialCounts,
        SoftmaxExtents e,
        float scale);

    private delegate void GroupLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> logits,
        ArrayView<int> labels,
        ArrayView<float> gradient,
        ArrayView<float> partialSums,
        ArrayView<int> partialCounts,
        SoftmaxExtents e,
        float scale);

    /// <summary>
    /// Adds the loss of every row whose label is not negative to the totals; writes scale (softmax - onehot) where a gradient is wanted.
    /// </summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="logits">[rows, classes].</param>
    /// <param name="labels">[rows].</param>
    /// <param name="gradient">[rows, classes]; may be the logits; null where none is wanted.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="scale">Factor on the gradient.</param>
    /// <param name="sums">The totals' sums.</param>
    /// <param name="counts">The totals' counts.</param>
    public void Run(
        AcceleratorStream stream,
        ArrayView<float> logits,
        ArrayView<int> labels,
        ArrayView<float>? gradient,
        int rows,
        int classes,
        float scale,
        ArrayView<float> sums,
        ArrayView<long> counts)
    {
        int width = tally.WidthFor(rows);
        SoftmaxExtents extents = new() { Rows = rows, Classes = classes, Width = width, WantsGradient = gradient is null ? 0 : 1 };
        (ArrayView<float> partialSums, ArrayView<int> partialCounts) = (tally.PartialSums, tally.PartialCounts);
        if (runGroups is null || classes < SoftmaxGroups.LeastClasses)
            run(stream, width, logits, labels, gradient ?? logits, partialSums, partialCounts, extents, scale);
        else
            runGroups(stream, new KernelConfig(width, SoftmaxGroups.Threads), logits, labels, gradient ?? logits, partialSums, partialCounts, extents, scale);
        tally.Add(stream, width, sums, counts);
    }

    /// <summary>One item, every width-th row.</summary>
    [KernelEntry]
    internal static void Rows(
        Index1D index,
        ArrayView<float> logits, // [rows, classes]
        ArrayView<int> labels, // [rows]
        ArrayView<float> gradient, // [rows, classes]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        SoftmaxExtents e,
        float scale)
    {
        CompensatedSum loss = default;
        int correct = 0;
        int counted = 0;
        for (int row = index; row < e.Rows; row += e.Width)
        {
            int first = row * e.Classes;
            int label = labels[row];
            if (label < 0)
            {
                if (e.WantsGradient == 0) continue;
                for (int j = 0; j < e.Classes; j++) gradient[first + j] = 0f;
                continue;
            }

            int best = 0;
            float largest = logits[first];
            for (int j = 1; j < e.Classes; j++)
            {
                float logit = logits[first + j];
                if (!(logit > largest)) continue;
                best = j;
                largest = logit;
            }

            float sum = 0f;
            for (int j = 0; j < e.Classes; j++) sum += Elementary.Exp(logits[first + j] - largest);
            float own = label < e.Classes ? logits[first + label] : float.NaN; // a label out of range spoils the loss, not the memory
            loss.Add(Elementary.Log(sum) - (own - largest));
            counted++;
            if (best == label) correct++;
            if (e.WantsGradient == 0) continue;
            for (int j = 0; j < e.Classes; j++)
            {
                float share = Elementary.Exp(logits[first + j] - largest) / sum;
                gradient[first + j] = scale * (j == label ? share - 1f : share);
            }
        }

        LossTally.Store(partialSums, partialCounts, index, loss, correct, counted);
    }
}

/// <summary>Extents of a softmax launch.</summary>
public struct SoftmaxExtents
{
    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Number of classes.</summary>
    public int Classes;

    /// <summary>Items launched.</summary>
    public int Width;

    /// <summary>1 where the gradient is written.</summary>
    public int WantsGradient;
}
