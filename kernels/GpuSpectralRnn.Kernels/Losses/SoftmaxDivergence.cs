using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>KL(softmax(targets) || softmax(logits)) per row, with its gradient by the logits in the same pass.</summary>
public sealed class SoftmaxDivergence
{
    private readonly LossTally tally;
    private readonly LossKernels<float> kernels;

    /// <summary>Loads the kernels.</summary>
    public SoftmaxDivergence(KernelLoader loader, LossTally tally)
    {
        this.tally = tally;
        kernels = new LossKernels<float>(loader, tally, Rows, SoftmaxDivergenceGroups.Rows);
    }

    /// <summary>
    /// Adds the divergence of every row to the totals; writes scale (softmax(logits) - softmax(targets)) where a gradient is wanted.
    /// </summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="logits">[rows, classes].</param>
    /// <param name="targets">[rows, classes].</param>
    /// <param name="gradient">[rows, classes]; may be the logits; null where none is wanted.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="scale">Factor on the gradient.</param>
    /// <param name="sums">The totals' sums.</param>
    /// <param name="counts">The totals' counts.</param>
    public void Run(
        AcceleratorStream stream,
        ArrayView<float> logits,
        ArrayView<float> targets,
        ArrayView<float>? gradient,
        int rows,
        int classes,
        float scale,
        ArrayView<float> sums,
        ArrayView<long> counts)
    {
        bool inGroups = kernels.HasGroups && classes >= SoftmaxGroups.LeastClasses;
        kernels.Run(stream, inGroups, tally.WidthFor(rows), logits, targets, gradient, rows, classes, scale, sums, counts);
    }

    /// <summary>One item, every width-th row.</summary>
    [KernelEntry]
    internal static void Rows(
        Index1D index,
        ArrayView<float> logits, // [rows, classes]
        ArrayView<float> targets, // [rows, classes]
        ArrayView<float> gradient, // [rows, classes]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        LossExtents e,
        float scale)
    {
        CompensatedSum loss = default;
        int agreed = 0;
        int counted = 0;
        for (int row = index; row < e.Rows; row += e.Width)
        {
            int first = row * e.Columns;
            int best = 0;
            int bestTarget = 0;
            float largest = logits[first];
            float largestTarget = targets[first];
            for (int j = 1; j < e.Columns; j++)
            {
                float logit = logits[first + j];
                float target = targets[first + j];
                if (logit > largest)
                {
                    best = j;
                    largest = logit;
                }

                if (target > largestTarget)
                {
                    bestTarget = j;
                    largestTarget = target;
                }
            }

            float sum = 0f;
            float sumTarget = 0f;
            for (int j = 0; j < e.Columns; j++)
            {
                sum += Elementary.Exp(logits[first + j] - largest);
                sumTarget += Elementary.Exp(targets[first + j] - largestTarget);
            }

            // sum_c p_c (log p_c - log q_c): the shifts by the largest logits and the logarithms of the sums are common to all classes.
            CompensatedSum divergence = default;
            divergence.Add(Elementary.Log(sum) - Elementary.Log(sumTarget));
            for (int j = 0; j < e.Columns; j++)
            {
                float logit = logits[first + j] - largest;
                float target = targets[first + j] - largestTarget;
                float share = Elementary.Exp(target) / sumTarget;
                if (!(share <= 0f)) divergence.Add(share * (target - logit));
                if (e.WantsGradient != 0) gradient[first + j] = scale * (Elementary.Exp(logit) / sum - share);
            }

            loss.Add(divergence);
            counted++;
            if (best == bestTarget) agreed++;
        }

        LossTally.Store(partialSums, partialCounts, index, loss, agreed, counted);
    }
}
