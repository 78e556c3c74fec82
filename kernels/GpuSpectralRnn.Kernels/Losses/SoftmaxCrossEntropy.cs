using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Softmax cross-entropy per row, -log softmax(logits)[label], with its gradient in the same pass.</summary>
public sealed class SoftmaxCrossEntropy
{
    private readonly LossTally tally;
    private readonly LossKernels<int> kernels;

    /// <summary>Loads the kernels.</summary>
    public SoftmaxCrossEntropy(KernelLoader loader, LossTally tally)
    {
        this.tally = tally;
        kernels = new LossKernels<int>(loader, tally, Rows, SoftmaxGroups.Rows);
    }

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
        bool inGroups = kernels.HasGroups && classes >= SoftmaxGroups.LeastClasses;
        kernels.Run(stream, inGroups, tally.WidthFor(rows), logits, labels, gradient, rows, classes, scale, sums, counts);
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
        LossExtents e,
        float scale)
    {
        CompensatedSum loss = default;
        int correct = 0;
        int counted = 0;
        for (int row = index; row < e.Rows; row += e.Width)
        {
            int first = row * e.Columns;
            int label = labels[row];
            if (label < 0)
            {
                if (e.WantsGradient == 0) continue;
                for (int j = 0; j < e.Columns; j++) gradient[first + j] = 0f;
                continue;
            }

            int best = 0;
            float largest = logits[first];
            for (int j = 1; j < e.Columns; j++)
            {
                float logit = logits[first + j];
                if (!(logit > largest)) continue;
                best = j;
                largest = logit;
            }

            float sum = 0f;
            for (int j = 0; j < e.Columns; j++) sum += Elementary.Exp(logits[first + j] - largest);
            float own = label < e.Columns ? logits[first + label] : float.NaN; // a label out of range spoils the loss, not the memory
            loss.Add(Elementary.Log(sum) - (own - largest));
            counted++;
            if (best == label) correct++;
            if (e.WantsGradient == 0) continue;
            for (int j = 0; j < e.Columns; j++)
            {
                float share = Elementary.Exp(logits[first + j] - largest) / sum;
                gradient[first + j] = scale * (j == label ? share - 1f : share);
            }
        }

        LossTally.Store(partialSums, partialCounts, index, loss, correct, counted);
    }
}
