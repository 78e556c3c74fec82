using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Softmax cross-entropy over many classes, a row a group: its threads read and write the row side by side and find the largest logit and the sum through
/// shared memory, in a fixed order. For vocabularies, where one item per row would read alone for thousands of steps.
/// </summary>
internal static class SoftmaxGroups
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Fewer classes than this leave too many threads idle.</summary>
    public const int LeastClasses = 2 * Threads;

    /// <summary>One group, every width-th row.</summary>
    [KernelEntry(GroupSize = Threads)]
    internal static void Rows(
        ArrayView<float> logits, // [rows, classes]
        ArrayView<int> labels, // [rows]
        ArrayView<float> gradient, // [rows, classes]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        SoftmaxExtents e,
        float scale)
    {
        ArrayView<float> values = SharedMemory.Allocate<float>(Threads);
        ArrayView<int> places = SharedMemory.Allocate<int>(Threads);
        int me = Group.IdxX;
        CompensatedSum loss = default;
        int correct = 0;
        int counted = 0;
        for (int row = Grid.IdxX; row < e.Rows; row += e.Width)
        {
            int first = row * e.Classes;
            int label = labels[row];
            if (label < 0)
            {
                for (int j = me; j < e.Classes * e.WantsGradient; j += Threads) gradient[first + j] = 0f;
                continue;
            }

            float own = label < e.Classes ? logits[first + label] : float.NaN; // a label out of range spoils the loss, not the memory
            int best = me;
            float largest = logits[first + me];
            for (int j = me + Threads; j < e.Classes; j += Threads)
            {
                float logit = logits[first + j];
                if (!(logit > largest)) continue;
                best = j;
                largest = logit;
            }

            values[me] = largest;
            places[me] = best;
            Group.Barrier();
            for (int half = Threads / 2; half > 0; half /= 2)
            {
                if (me < half && IsBetter(values[me + half], places[me + half], values[me], places[me]))
                {
                    values[me] = values[me + half];
                    places[me] = places[me + half];
                }

                Group.Barrier();
            }

            largest = values[0];
            best = places[0];
            Group.Barrier();
            float sum = 0f;
            for (int j = me; j < e.Classes; j += Threads) sum += Elementary.Exp(logits[first + j] - largest);
            values[me] = sum;
            Group.Barrier();
            for (int half = Threads / 2; half > 0; half /= 2)
            {
                if (me < half) values[me] += values[me + half];
                Group.Barrier();
            }

            sum = values[0];
            Group.Barrier();
            loss.Add(Elementary.Log(sum) - (own - largest));
            counted++;
            if (best == label) correct++;
            for (int j = me; j < e.Classes * e.WantsGradient; j += Threads)
            {
                float share = Elementary.Exp(logits[first + j] - largest) / sum;
                gradient[first + j] = scale * (j == label ? share - 1f : share);
            }
        }

        if (me == 0) LossTally.Store(partialSums, partialCounts, Grid.IdxX, loss, correct, counted);
    }

    // The first of equals is the best.
    private static bool IsBetter(float value, int place, float other, int otherPlace) => value > other || (value == other && place < otherPlace);
}
